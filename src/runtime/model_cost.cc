#include "runtime/model_cost.h"

#include <limits>

#include "kernels/kernel.h"

namespace skiff::runtime {
namespace {

// Numbers of the format for operators that have no kernel yet.
constexpr std::int32_t transpose_conv = 67, batch_matmul = 126;

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

std::int64_t times(std::int64_t a, std::int64_t b) {
    std::int64_t product;
    return __builtin_mul_overflow(a, b, &product) ? most : product;
}

const Shape* shape_of(const model::Subgraph& subgraph, const std::vector<std::int32_t>& tensors,
                      std::size_t i, int least_rank) {
    if (i >= tensors.size() || tensors[i] < 0) return nullptr;
    const Shape& shape = subgraph.tensors[static_cast<std::size_t>(tensors[i])].shape;
    return shape.rank() >= least_rank && shape.elements() > 0 ? &shape : nullptr;
}

// Every element of `moving` meets the products of one of the weights' channels, which are dimension
// `channels`.
std::int64_t weighted_macs(const model::Subgraph& subgraph, const model::Operator& op,
                           const Shape* moving, int rank, int channels) {
    const Shape* weights = shape_of(subgraph, op.inputs, 1, rank);
    if (!weights || !moving) return 0;
    return times(moving->elements(), weights->elements() / (*weights)[channels]);
}

std::int64_t batch_matmul_macs(const model::Subgraph& subgraph, const model::Operator& op) {
    const Shape* left =
        shape_of(subgraph, op.inputs, 0, 2);  // [..., m, k] or, adjoint, [..., k, m]
    const Shape* output = shape_of(subgraph, op.outputs, 0, 2);  // [..., m, n]
    if (!left || !output) return 0;
    const std::int64_t matrix = times((*left)[left->rank() - 1], (*left)[left->rank() - 2]);
    return times(output->elements(), matrix / (*output)[output->rank() - 2]);
}

}  // namespace

std::int64_t operator_macs(const model::Subgraph& subgraph, const model::Operator& op) {
    using kernels::Opcode;
    const Shape* output = shape_of(subgraph, op.outputs, 0, 0);
    switch (op.builtin_code) {
        case static_cast<std::int32_t>(Opcode::conv_2d):  // weights [out, height, width, in]
            return weighted_macs(subgraph, op, output, 4, 0);
        case static_cast<std::int32_t>(Opcode::depthwise_conv_2d):  // [1, height, width, out]
            return weighted_macs(subgraph, op, output, 4, 3);
        case static_cast<std::int32_t>(Opcode::fully_connected):  // [out, in]
            return weighted_macs(subgraph, op, output, 2, 0);
        case transpose_conv:  // [out, height, width, in]
            return weighted_macs(subgraph, op, shape_of(subgraph, op.inputs, 2, 0), 4, 3);
        case batch_matmul:
            return batch_matmul_macs(subgraph, op);
        default:
            return 0;
    }
}

std::int64_t subgraph_macs(const model::Subgraph& subgraph) {
    std::int64_t sum = 0;
    for (const model::Operator& op : subgraph.operators)
        if (__builtin_add_overflow(sum, operator_macs(subgraph, op), &sum)) return most;
    return sum;
}

}  // namespace skiff::runtime
