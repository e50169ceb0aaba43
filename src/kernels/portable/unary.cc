#include "kernels/portable/unary.h"

namespace skiff::kernels {

Status UnaryKernel::prepare(PrepareContext& context) {
    TRY(check_arity(context, 1));
    const Tensor& input = *context.input(0);
    Tensor& output = context.output();
    TRY(check_same_dtype(input, output));
    output.shape = input.shape;
    allow_in_place(context, 0);
    if (input.dtype == DType::float32) return {};
    if (input.dtype != DType::int8 && input.dtype != DType::uint8)
        return no_kernel_for(input.dtype);
    TRY(check_quantized(input, "input"));
    TRY(check_quantized(output, "output"));
    return fill(table_, input, output);
}

Status UnaryKernel::invoke(InvokeContext& context) {
    if (context.output().dtype == DType::float32)
        run_float(context);
    else
        map_elements<std::uint8_t, std::uint8_t>(context, cheap_grain, table_);
    return {};
}

}  // namespace skiff::kernels
