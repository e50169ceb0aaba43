#include "kernels/portable/reduce.h"

namespace skiff::kernels {

Result<Reduction> plan_reduction(const Shape& input, std::span<const std::int32_t> axes) {
    const int rank = input.rank();
    std::array<bool, Shape::max_rank> summed{};
    for (const std::int32_t axis : axes) {
        const std::int64_t own = axis < 0 ? std::int64_t{axis} + rank : axis;
        if (own < 0 || own >= rank)
            return invalid(std::string("axis ") + std::to_string(axis) + " is not one of " +
                           std::to_string(rank) + " dimensions");
        summed[static_cast<std::size_t>(own)] = true;
    }
    TRY(check_size(input));
    Reduction plan;
    plan.is_spatial = rank == 4 && !summed[0] && summed[1] && summed[2] && !summed[3];
    for (int i = 0; i < rank; ++i) {
        const bool sum = summed[static_cast<std::size_t>(i)];
        plan.kept_shape.push_back(sum ? 1 : input[i]);
        if (!sum) plan.squeezed_shape.push_back(input[i]);
        if (sum) plan.count *= input[i];
        if (input[i] == 1) continue;
        const auto last = static_cast<std::size_t>(plan.axis_count) - 1;
        if (plan.axis_count > 0 && (plan.axes[last].sum_stride == 0) == sum)
            plan.axes[last].size *= input[i];
        else
            plan.axes[static_cast<std::size_t>(plan.axis_count++)] = {input[i], sum ? 0 : 1};
    }
    std::int64_t stride = 1;
    for (int i = plan.axis_count - 1; i >= 0; --i) {
        Reduction::Axis& axis = plan.axes[static_cast<std::size_t>(i)];
        if (axis.sum_stride == 0) continue;
        axis.sum_stride = stride;
        stride *= axis.size;
    }
    return plan;
}

}  // namespace skiff::kernels
