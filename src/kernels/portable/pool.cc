#include "kernels/portable/pool.h"

#include "kernels/portable/checks.h"

namespace skiff::kernels {

Result<PoolGeometry> prepare_pool(PrepareContext& context, const Pool2dParams& params) {
    if (context.inputs.size() != 1 || context.input(0) == nullptr || context.outputs.size() != 1)
        return invalid("a pool has one input and one output");
    const Tensor& input = *context.input(0);
    Tensor& output = context.output();
    if (input.shape.rank() != 4)
        return invalid("the input must have 4 dimensions, not " + input.shape.to_string());
    if (input.dtype != output.dtype)
        return invalid("input and output have different element types");
    if (input.dtype != DType::float32) {
        if (input.dtype != DType::int8 && input.dtype != DType::uint8)
            return unimplemented("no pool of " + std::string(dtype_name(input.dtype)));
        TRY(check_quantized(input, "input"));
        TRY(check_quantized(output, "output"));
    }
    PoolGeometry g;
    g.batches = input.shape[0];
    g.channels = input.shape[3];
    g.y = TRY(window_axis(input.shape[1], params.filter_h, params.stride_h, 1, params.padding));
    g.x = TRY(window_axis(input.shape[2], params.filter_w, params.stride_w, 1, params.padding));
    output.shape = Shape{input.shape[0], static_cast<std::int32_t>(g.y.output),
                         static_cast<std::int32_t>(g.x.output), input.shape[3]};
    return g;
}

}  // namespace skiff::kernels
