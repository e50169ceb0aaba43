#include <algorithm>
#include <iterator>

#include "kernels/portable/factories.h"

namespace skiff::kernels {

namespace {

// Sorted by opcode.
constexpr Registration table[] = {
    {Opcode::add, 6, create_add},
    {Opcode::average_pool_2d, 3, create_average_pool_2d},
    {Opcode::concatenation, 7, create_concatenation},
    {Opcode::conv_2d, 8, create_conv_2d},
    {Opcode::depthwise_conv_2d, 7, create_depthwise_conv_2d},
    {Opcode::dequantize, 9, create_dequantize},
    {Opcode::fully_connected, 14, create_fully_connected},
    {Opcode::logistic, 3, create_logistic},
    {Opcode::max_pool_2d, 3, create_max_pool_2d},
    {Opcode::mul, 8, create_mul},
    {Opcode::relu, 3, create_relu},
    {Opcode::relu6, 3, create_relu6},
    {Opcode::reshape, 1, create_reshape},
    {Opcode::softmax, 4, create_softmax},
    {Opcode::pad, 6, create_pad},
    {Opcode::mean, 3, create_mean},
    {Opcode::sub, 5, create_sub},
    {Opcode::squeeze, 2, create_squeeze},
    {Opcode::quantize, 6, create_quantize},
    {Opcode::hard_swish, 1, create_hard_swish},
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
