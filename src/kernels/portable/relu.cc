// RELU and RELU6 as operators of their own. Stored integers: GL with the float32 ratio of the
// scales, then TACT, as a table.
#include "kernels/portable/activation.h"
#include "kernels/portable/factories.h"
#include "kernels/portable/unary.h"

namespace skiff::kernels {

namespace {

class Relu final : public UnaryKernel {
 public:
    explicit Relu(FloatRange bounds) : bounds_(bounds) {}

 private:
    void run_float(InvokeContext& context) const override {
        map_elements<float, float>(context, cheap_grain, [bounds = bounds_](float x) {
            return clamp_float(x, bounds.lo, bounds.hi);
        });
    }

    Status fill(ByteTable& table, const Tensor& input, const Tensor& output) const override {
        const TensorQuantization &in = input.quantization, &out = output.quantization;
        const float ratio = in.scale() / out.scale();
        if (!std::isfinite(ratio))
            return invalid("the output's scale is too small for the input's");
        const FixedMultiplier factor = fixed_multiplier(ratio);
        const IntegerRange range =
            builtin_activation(bounds_, out.scale(), out.zero_point(), output.dtype);
        table.fill(input.dtype, [&](std::int32_t stored) {
            // In 64 bits: the scaled value may be anything.
            const std::int64_t scaled = scale_ties_away(stored - in.zero_point(), factor);
            return static_cast<std::int32_t>(
                std::clamp<std::int64_t>(scaled + out.zero_point(), range.lo, range.hi));
        });
        return {};
    }

    FloatRange bounds_;
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
