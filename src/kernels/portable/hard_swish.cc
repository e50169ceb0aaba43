// HARD_SWISH: x * clamp(x + 3, 0, 6) / 6. Stored integers: 16-bit fixed point (docs/exact.md), as a
// table.
#include "kernels/portable/factories.h"
#include "kernels/portable/fixed_point16.h"
#include "kernels/portable/unary.h"

namespace skiff::kernels {

namespace {

// (x + 3) / 6 between 0 and 1, in units of 2^-15. h: the distance from zero times 128; factor: one
// unit of h, as a multiple of 3 / 2^15.
std::int32_t relu_part(std::int32_t h, FixedMultiplier factor) {
    std::int32_t v = h;
    // 16 places saturate whatever is not 0.
    if (factor.exponent > 0) v = saturate16(std::int64_t{v} << std::min(factor.exponent - 1, 16));
    v = high_multiply16(v, mantissa16(factor));
    if (factor.exponent > 0) v = saturate16(std::int64_t{v} * 2);
    if (factor.exponent < 0) v = shift_ties_away(v, -factor.exponent);
    return (v + 32768) >> 1;
}

class HardSwish final : public UnaryKernel {
 private:
    void run_float(InvokeContext& context) const override {
        map_elements<float, float>(context, cheap_grain, [](float x) {
            return x * (clamp_float(x + 3.f, 0.f, 6.f) * (1.f / 6.f));
        });
    }

    Status fill(ByteTable& table, const Tensor& input, const Tensor& output) const override {
        const TensorQuantization &in = input.quantization, &out = output.quantization;
        const float unit = in.scale() / 128.f;
        const float output_ratio = unit / out.scale(), relu_ratio = unit / (3.f / 32768.f);
        if (!std::isfinite(relu_ratio)) return invalid("the input's scale is too large");
        if (!(output_ratio < 1.f))
            return unimplemented("the output's scale is less than 1/128 of the input's");
        const FixedMultiplier output_factor = fixed_multiplier(output_ratio);
        const FixedMultiplier relu_factor = fixed_multiplier(relu_ratio);
        // Beyond 15 places the library's 16-bit shifts are wrong.
        if (output_factor.exponent < -15 || relu_factor.exponent < -15)
            return unimplemented("the scales are too far apart, or too small, for 16-bit steps");
        const IntegerRange range = stored_range(output.dtype);
        table.fill(input.dtype, [&](std::int32_t stored) {
            const std::int32_t h = (stored - in.zero_point()) * 128;
            const std::int32_t scaled = high_multiply16(h, mantissa16(output_factor));
            const std::int32_t product = relu_part(h, relu_factor) * scaled / 32768;
            const int shift = std::max(-output_factor.exponent, 0);
            return std::clamp(shift_ties_away(product, shift) + out.zero_point(), range.lo,
                              range.hi);
        });
        return {};
    }
};

}  // namespace

std::unique_ptr<Kernel> create_hard_swish(const Params& params) {
    return std::holds_alternative<std::monostate>(params) ? std::make_unique<HardSwish>() : nullptr;
}

}  // namespace skiff::kernels
