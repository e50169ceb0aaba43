// LOGISTIC: 1 / (1 + exp(-x)). Stored integers: a table; double inside, float32 at its seams.
#include "kernels/portable/byte_table.h"
#include "kernels/portable/elementwise.h"
#include "kernels/portable/factories.h"

namespace skiff::kernels {

namespace {

double logistic(float x) {
    if (x > 100) return 1;
    if (x < -100) return 0;
    const double e = std::exp(static_cast<double>(x));
    return e / (1 + e);
}

class Logistic final : public Kernel {
 public:
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
            map_elements<float, float>(context, expensive_grain,
                                       [](float x) { return 1 / (1 + std::exp(-x)); });
        else
            map_elements<std::uint8_t, std::uint8_t>(context, cheap_grain, table_);
        return {};
    }

 private:
    Status prepare_table(const Tensor& input, const Tensor& output) {
        const TensorQuantization &in = input.quantization, &out = output.quantization;
        const float inverse = 1 / out.scale();
        if (!std::isfinite(inverse)) return invalid("the output's scale is too small");
        const auto zero_point = static_cast<float>(out.zero_point());
        const IntegerRange range = stored_range(output.dtype);
        table_.fill(input.dtype, [&](std::int32_t stored) {
            const float x = static_cast<float>(stored - in.zero_point()) * in.scale();
            const float scaled = static_cast<float>(logistic(x)) * inverse;
            return round_to_even(clamp_float(scaled + zero_point, static_cast<float>(range.lo),
                                             static_cast<float>(range.hi)));
        });
        return {};
    }

    ByteTable table_;
};

}  // namespace

std::unique_ptr<Kernel> create_logistic(const Params& params) {
    return std::holds_alternative<std::monostate>(params) ? std::make_unique<Logistic>() : nullptr;
}

}  // namespace skiff::kernels
