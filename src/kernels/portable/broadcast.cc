#include "kernels/portable/broadcast.h"

namespace skiff::kernels {

namespace {

// Dimension i of `shape` when it is aligned at the end of `rank` dimensions.
std::int32_t aligned(const Shape& shape, int rank, int i) {
    const int own = i - (rank - shape.rank());
    return own < 0 ? 1 : shape[own];
}

Result<Shape> output_shape(const Shape& a, const Shape& b) {
    Shape shape;
    const int rank = std::max(a.rank(), b.rank());
    for (int i = 0; i < rank; ++i) {
        const std::int32_t da = aligned(a, rank, i), db = aligned(b, rank, i);
        if (da != db && da != 1 && db != 1)
            return invalid(std::string("shapes ") + a.to_string() + " and " + b.to_string() +
                           " cannot be broadcast to each other");
        shape.push_back(da == 1 ? db : da);
    }
    TRY(check_size(shape));
    return shape;
}

}  // namespace

Result<Broadcast> broadcast_shapes(const Shape& a, const Shape& b) {
    Broadcast plan;
    plan.shape = TRY(output_shape(a, b));
    const int rank = plan.shape.rank();
    // From the innermost dimension outwards: merged holds the axes so far, innermost first.
    std::array<Broadcast::Axis, Shape::max_rank> merged;
    std::size_t count = 0;
    std::int64_t a_elements = 1, b_elements = 1;
    for (int i = rank - 1; i >= 0; --i) {
        const std::int32_t size = plan.shape[i];
        if (size == 1) continue;
        const std::int32_t da = aligned(a, rank, i), db = aligned(b, rank, i);
        const bool a_moves = da != 1, b_moves = db != 1;
        if (count > 0 && (merged[count - 1].a_stride != 0) == a_moves &&
            (merged[count - 1].b_stride != 0) == b_moves)
            merged[count - 1].size *= size;
        else
            merged[count++] = {size, a_moves ? a_elements : 0, b_moves ? b_elements : 0};
        a_elements *= da;
        b_elements *= db;
    }
    if (plan.shape.elements() == 0) {  // no strides to follow: no rows
        plan.rows = 0;
        return plan;
    }
    if (count > 0) plan.row = merged[0];
    plan.outer_rank = count > 0 ? static_cast<int>(count) - 1 : 0;
    for (int i = 0; i < plan.outer_rank; ++i) {
        const Broadcast::Axis& axis = merged[count - 1 - static_cast<std::size_t>(i)];
        plan.outer[static_cast<std::size_t>(i)] = axis;
        plan.rows *= axis.size;
    }
    return plan;
}

}  // namespace skiff::kernels
