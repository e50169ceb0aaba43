#include "cli/run_inputs.h"

#include <cstring>
#include <string>

#include "cli/random_input.h"
#include "cli/table.h"

namespace skiff::cli {

Status fill_random_inputs(runtime::Engine& engine, std::uint64_t seed, std::size_t step) {
    for (std::size_t i = 0; i < engine.input_count(); ++i) {
        const MutableBytes input = engine.input(i);
        const auto values =
            TRY(random_values(engine.input_info(i).dtype, input.size(), input_seed(seed, step, i)));
        if (!values.empty()) std::memcpy(input.data(), values.data(), values.size());
    }
    return {};
}

Status set_input(runtime::Engine& engine, std::size_t i, Bytes data, const std::string& what) {
    const MutableBytes input = engine.input(i);
    const runtime::TensorInfo info = engine.input_info(i);
    if (data.size() != input.size())
        return error(Code::invalid_argument,
                     what + " has " + with_commas(static_cast<std::int64_t>(data.size())) +
                         " bytes, but input " + std::to_string(i) + " takes " +
                         with_commas(static_cast<std::int64_t>(input.size())) + " (" +
                         std::string(dtype_name(info.dtype)) + " " + info.shape.to_string() +
                         ", raw little-endian)");
    if (!data.empty()) std::memcpy(input.data(), data.data(), data.size());
    return {};
}

}  // namespace skiff::cli
