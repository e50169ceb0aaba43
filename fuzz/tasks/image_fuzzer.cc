// Any bytes as an image file, and, told by the last bytes, as raw pixels: an error or an image,
// nothing else.
#include <cstdint>
#include <cstdlib>

#include "tasks/image.h"

namespace {

void check(const skiff::tasks::Image& image) {
    const auto pixels = skiff::tasks::load_pixels(image);
    if (pixels.ok() && pixels->rgb.size() != static_cast<std::size_t>(pixels->width) *
                                                 static_cast<std::size_t>(pixels->height) * 3)
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using skiff::tasks::PixelFormat;
    check({{data, size}});
    if (size < 5) return 0;
    const std::uint8_t* how = data + size - 5;
    const auto format = static_cast<PixelFormat>(1 + how[0] % 6);
    check({{data, size - 5}, format, how[1], how[2], how[3], 90 * (how[4] % 4)});
    return 0;
}
