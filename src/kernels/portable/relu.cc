// RELU and RELU6 as operators of their own. Stored integers: GL with the float32 ratio of the
// scales, then TACT, as a table.
#include "kernels/portable/activation.h"
#include "kernels/portable/byte_table.h"
#include "kernels/portable/elementwise.h"
#include "kernels/portable/factories.h"

namespace skiff::kernels {

namespace {

class Relu final : public Kernel {
 public:
    explicit Relu(FloatRange bounds) : bounds_(bounds) {}

    Status prepare(PrepareContext& context) override {
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
        return prepare_table(input, output);
    }

    Status invoke(InvokeContext& context) override {
        if (context.output().dtype == DType::float32)
            map_elements<float, float>(context, cheap_grain, [bounds = bounds_](float x) {
                return clamp_float(x, bounds.lo, bounds.hi);
            });
        else
            map_elements<std::uint8_t, std::uint8_t>(context, cheap_grain, table_);
        return {};
    }

 private:
    Status prepare_table(const Tensor& input, const Tensor& output) {
        const TensorQuantization &in = input.quantization, &out = output.quantization;
        const float ratio = in.scale() / out.scale();
        if (!std::isfinite(ratio))
            return invalid("the output's scale is too small for the input's");
        const FixedMultiplier factor = fixed_multiplier(ratio);
        const IntegerRange range =
            builtin_activation(bounds_, out.scale(), out.zero_point(), output.dtype);
        table_.fill(input.dtype, [&](std::int32_t stored) {
            // In 64 bits: the scaled value may be anything.
            const std::int64_t scaled = scale_ties_away(stored - in.zero_point(), factor);
            return static_cast<std::int32_t>(
                std::clamp<std::int64_t>(scaled + out.zero_point(), range.lo, range.hi));
        });
        return {};
    }

    FloatRange bounds_;
    ByteTable table_;
};

std::unique_ptr<Kernel> create(const Params& params, FloatRange bounds) {
    return std::holds_alternative<std::monostate>(params) ? std::make_unique<Relu>(bounds)
                                                          : nullptr;
}

}  // namespace

std::unique_ptr<Kernel> create_relu(const Params& params) {
    return create(params, {0, std::numeric_limits<float>::infinity()});
}

std::unique_ptr<Kernel> create_relu6(const Params& params) {
    return create(params, {0, 6});
}

}  // namespace skiff::kernels
