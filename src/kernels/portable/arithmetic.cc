#include "kernels/portable/arithmetic.h"

namespace skiff::kernels {

Result<Broadcast> prepare_arithmetic(PrepareContext& context) {
    TRY(check_arity(context, 2));
    const Tensor &a = *context.input(0), &b = *context.input(1);
    Tensor& output = context.output();
    TRY(check_same_dtype(a, output));
    TRY(check_same_dtype(b, output));
    if (output.dtype == DType::int8 || output.dtype == DType::uint8) {
        TRY(check_quantized(a, "first input"));
        TRY(check_quantized(b, "second input"));
        TRY(check_quantized(output, "output"));
    } else if (output.dtype != DType::float32 && output.dtype != DType::int32 &&
               output.dtype != DType::int64) {
        return no_kernel_for(output.dtype);
    }
    Broadcast plan = TRY(broadcast_shapes(a.shape, b.shape));
    output.shape = plan.shape;
    if (a.shape == plan.shape) allow_in_place(context, 0);
    if (context.in_place_input < 0 && b.shape == plan.shape) allow_in_place(context, 1);
    return plan;
}

}  // namespace skiff::kernels
