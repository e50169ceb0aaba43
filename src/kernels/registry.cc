#include <algorithm>
#include <iterator>

#include "kernels/portable/factories.h"

namespace skiff::kernels {

namespace {

// Sorted by opcode.
constexpr Registration table[] = {
    {Opcode::average_pool_2d, 3, create_average_pool_2d},
    {Opcode::conv_2d, 8, create_conv_2d},
    {Opcode::depthwise_conv_2d, 7, create_depthwise_conv_2d},
    {Opcode::fully_connected, 14, create_fully_connected},
    {Opcode::max_pool_2d, 3, create_max_pool_2d},
};

constexpr bool by_opcode(const Registration& a, const Registration& b) {
    return a.opcode < b.opcode;
}
static_assert(std::is_sorted(std::begin(table), std::end(table), by_opcode));

}  // namespace

const Registration* find_kernel(std::int32_t builtin_code) {
    const auto code = static_cast<Opcode>(builtin_code);
    const auto* found = std::lower_bound(
        std::begin(table), std::end(table), code,
        [](const Registration& entry, Opcode wanted) { return entry.opcode < wanted; });
    return found != std::end(table) && found->opcode == code ? found : nullptr;
}

std::span<const Registration> all_kernels() {
    return table;
}

}  // namespace skiff::kernels
