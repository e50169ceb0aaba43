// Two operands of one element-wise operator, their shapes stretched to each other by NumPy's rules:
// aligned at the last dimension, a dimension of 1 repeats.
#pragma once

#include <array>

#include "kernels/portable/elementwise.h"

namespace skiff::kernels {

// The output as `rows` rows of `columns` elements. Neighbouring dimensions in which the operands
// behave alike are merged, so rows are as long as they can be.
struct Broadcast {
    struct Axis {
        std::int64_t size = 1;
        std::int64_t a_stride = 0, b_stride = 0;  // in elements; 0: the operand repeats
    };

    Shape shape;         // the output's
    int outer_rank = 0;  // axes around a row, outermost first
    std::array<Axis, Shape::max_rank> outer;
    Axis row;  // strides 0 or 1
    std::int64_t rows = 1;

    // Where row `index` starts in each operand.
    struct Offsets {
        std::int64_t a = 0, b = 0;
    };
    Offsets offsets(std::int64_t index) const {
        Offsets at;
        for (int i = outer_rank - 1; i >= 0; --i) {
            const Axis& axis = outer[static_cast<std::size_t>(i)];
            const std::int64_t position = index % axis.size;
            index /= axis.size;
            at.a += position * axis.a_stride;
            at.b += position * axis.b_stride;
        }
        return at;
    }
};

// Fails when the shapes do not fit each other, or the output would be too large.
Result<Broadcast> broadcast_shapes(const Shape& a, const Shape& b);

// output = f(a, b), element by element. `output` may be the same memory as an operand that has the
// output's shape.
template <typename T, typename F>
void apply_broadcast(const Broadcast& plan, ThreadPool* pool, const T* a, const T* b, T* output,
                     const F& f) {
    constexpr std::int64_t block = 8192;  // elements of a row that are one piece of work
    const Broadcast::Axis& row = plan.row;
    const std::int64_t blocks = (row.size + block - 1) / block;
    const std::int64_t grain =
        row.size >= block ? 4 : 4 * block / std::max<std::int64_t>(row.size, 1);
    parallel_for(pool, plan.rows * blocks, grain, [&](std::int64_t begin, std::int64_t end) {
        const F op = f;  // a copy that no store to the output can change
        for (std::int64_t piece = begin; piece < end; ++piece) {
            const std::int64_t index = piece / blocks, first = piece % blocks * block;
            const Broadcast::Offsets at = plan.offsets(index);
            const std::int64_t n = std::min(block, row.size - first);
            const T* pa = a + at.a + first * row.a_stride;
            const T* pb = b + at.b + first * row.b_stride;
            T* out = output + index * row.size + first;
            if (row.a_stride != 0 && row.b_stride != 0) {
                SKIFF_EQUAL_INDICES
                for (std::int64_t i = 0; i < n; ++i) out[i] = op(pa[i], pb[i]);
            } else if (row.a_stride != 0) {
                const T y = *pb;
                SKIFF_EQUAL_INDICES
                for (std::int64_t i = 0; i < n; ++i) out[i] = op(pa[i], y);
            } else {
                const T x = *pa;
                SKIFF_EQUAL_INDICES
                for (std::int64_t i = 0; i < n; ++i) out[i] = op(x, pb[i]);
            }
        }
    });
}

}  // namespace skiff::kernels
