// Sums over some dimensions of a tensor.
#pragma once

#include <array>
#include <span>

#include "kernels/portable/elementwise.h"

namespace skiff::kernels {

struct Reduction {
    // Neighbouring dimensions that are all summed, or all kept, are one axis; dimensions of 1 are
    // left out.
    struct Axis {
        std::int64_t size = 1;
        std::int64_t sum_stride = 0;  // in sums; 0: summed over
    };

    Shape kept_shape;         // summed dimensions are 1
    Shape squeezed_shape;     // summed dimensions are gone
    std::int64_t count = 1;   // how many elements make one sum
    bool is_spatial = false;  // dimensions 1 and 2 of four
    int axis_count = 0;
    std::array<Axis, Shape::max_rank> axes;  // outermost first
};

// Fails when an axis is not a dimension. Axes may be negative, and may be named twice.
Result<Reduction> plan_reduction(const Shape& input, std::span<const std::int32_t> axes);

// Adds up input 0 into sums (in the scratch memory, one per output element) and gives them to
// finish(sums, output, n), piece by piece.
template <typename T, typename Sum, typename Finish>
void reduce_sums(const Reduction& plan, InvokeContext& context, const Finish& finish) {
    const std::int64_t outputs = plan.kept_shape.elements();
    const std::int64_t inputs = context.input(0)->shape.elements();
    if (outputs == 0) return;
    const Reduction::Axis row = plan.axis_count > 0
                                    ? plan.axes[static_cast<std::size_t>(plan.axis_count) - 1]
                                    : Reduction::Axis{1, 1};
    // The parts of an outermost axis that is kept are independent of each other.
    const bool divisible = plan.axis_count > 1 && plan.axes[0].sum_stride != 0;
    const std::int64_t parts = divisible ? plan.axes[0].size : 1;
    const std::int64_t part_outputs = outputs / parts;
    const std::int64_t part_rows = row.size == 0 ? 0 : inputs / parts / row.size;
    const T* input = context.input(0)->as<T>();
    Sum* all_sums = reinterpret_cast<Sum*>(context.scratch);
    const auto add_row = [&](std::int64_t index) {
        std::int64_t rest = index, at = 0;
        for (int i = plan.axis_count - 2; i >= 0; --i) {
            const Reduction::Axis& axis = plan.axes[static_cast<std::size_t>(i)];
            at += rest % axis.size * axis.sum_stride;
            rest /= axis.size;
        }
        const T* x = input + index * row.size;
        Sum* sums = all_sums + at;
        if (row.sum_stride != 0) {
            for (std::int64_t i = 0; i < row.size; ++i) sums[i] += static_cast<Sum>(x[i]);
        } else {
            Sum sum = 0;
            for (std::int64_t i = 0; i < row.size; ++i) sum += static_cast<Sum>(x[i]);
            *sums += sum;
        }
    };
    const std::int64_t grain = cheap_grain / std::max<std::int64_t>(inputs / parts, 1) + 1;
    parallel_for(context.pool, parts, grain, [&](std::int64_t begin, std::int64_t end) {
        Sum* sums = all_sums + begin * part_outputs;
        const std::int64_t n = (end - begin) * part_outputs;
        std::fill_n(sums, n, Sum{0});
        for (std::int64_t r = begin * part_rows; r < end * part_rows; ++r) add_row(r);
        finish(sums, context.output().as<T>() + begin * part_outputs, n);
    });
}

}  // namespace skiff::kernels
