// LOGISTIC: 1 / (1 + exp(-x)). Stored integers: a table; double inside, float32 at its seams.
#include "kernels/portable/factories.h"
#include "kernels/portable/unary.h"

namespace skiff::kernels {

namespace {

double logistic(float x) {
    if (x > 100) return 1;
    if (x < -100) return 0;
    const double e = std::exp(static_cast<double>(x));
    return e / (1 + e);
}

class Logistic final : public UnaryKernel {
 private:
    void run_float(InvokeContext& context) const override {
        map_elements<float, float>(context, expensive_grain,
                                   [](float x) { return 1 / (1 + std::exp(-x)); });
    }

    Status fill(ByteTable& table, const Tensor& input, const Tensor& output) const override {
        const TensorQuantization &in = input.quantization, &out = output.quantization;
        const float inverse = 1 / out.scale();
        if (!std::isfinite(inverse)) return invalid("the output's scale is too small");
        const auto zero_point = static_cast<float>(out.zero_point());
        const IntegerRange range = stored_range(output.dtype);
        table.fill(input.dtype, [&](std::int32_t stored) {
            const float x = static_cast<float>(stored - in.zero_point()) * in.scale();
            const float scaled = static_cast<float>(logistic(x)) * inverse;
            return round_to_even(clamp_float(scaled + zero_point, static_cast<float>(range.lo),
                                             static_cast<float>(range.hi)));
        });
        return {};
    }
};

}  // namespace

std::unique_ptr<Kernel> create_logistic(const Params& params) {
    return std::holds_alternative<std::monostate>(params) ? std::make_unique<Logistic>() : nullptr;
}

}  // namespace skiff::kernels
