// Any bytes as a model: loads or is refused, and whatever loads can be read to the last byte.
#include "tests/model/touch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    skiff::model::load_and_touch({data, size});
    return 0;
}
