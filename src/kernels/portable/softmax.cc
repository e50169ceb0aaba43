// SOFTMAX over the last dimension: exp(beta * (x - max)) / sum. Stored integers: a table of
// exponentials, summed in float32 one after the other, in order (docs/exact.md).
#include <array>

#include "kernels/portable/elementwise.h"
#include "kernels/portable/factories.h"

namespace skiff::kernels {

namespace {

void softmax_row(const float* x, float* y, std::int64_t n, float beta) {
    float max = x[0];
    for (std::int64_t i = 1; i < n; ++i) max = std::max(max, x[i]);
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        y[i] = std::exp((x[i] - max) * beta);
        sum += y[i];
    }
    const auto inverse = static_cast<float>(1 / sum);
    for (std::int64_t i = 0; i < n; ++i) y[i] *= inverse;
}

// int8: nearest, ties away from zero, less 128. uint8: p + 0.5, cut; its zero point is not used.
std::int8_t store(float p, std::int8_t) {
    return static_cast<std::int8_t>(std::max(0.f, std::min(std::round(p), 255.f)) - 128.f);
}
std::uint8_t store(float p, std::uint8_t) {
    const float raised = p + 0.5f;
    return static_cast<std::uint8_t>(std::max(0.f, std::min(raised, 255.f)));
}

class Softmax final : public Kernel {
 public:
    explicit Softmax(const SoftmaxParams& params) : beta_(params.beta) {}

    Status prepare(PrepareContext& context) override {
        TRY(check_arity(context, 1));
        const Tensor& input = *context.input(0);
        Tensor& output = context.output();
        TRY(check_same_dtype(input, output));
        if (input.shape.rank() < 1) return invalid("the input must have at least 1 dimension");
        if (!std::isfinite(beta_)) return invalid("beta is not a finite number");
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
        switch (context.output().dtype) {
            case DType::float32:
                for_each_row<float>(context, [this](const float* x, float* y, std::int64_t n) {
                    softmax_row(x, y, n, beta_);
                });
                break;
            case DType::int8:
                run_stored<std::int8_t>(context);
                break;
            default:
                run_stored<std::uint8_t>(context);
                break;
        }
        return {};
    }

 private:
    Status prepare_table(const Tensor& input, const Tensor& output) {
        const TensorQuantization& out = output.quantization;
        constexpr float usual_scale = 1.f / 256.f;
        if (output.dtype == DType::int8 &&
            (out.zero_point() != -128 || std::abs(out.scale() - usual_scale) > 1e-3f * usual_scale))
            return invalid("the output must have scale 1/256 and zero point -128");
        if (beta_ < 0) return unimplemented("a negative beta on integers");
        output_scale_ = out.scale();
        const float step = -(input.quantization.scale() * beta_);
        for (std::size_t j = 0; j < exponentials_.size(); ++j) {
            const float x = step * static_cast<float>(j);
            exponentials_[j] = j == 0 ? 1.f : static_cast<float>(std::exp(static_cast<double>(x)));
        }
        return {};
    }

    template <typename T, typename Row>
    static void for_each_row(InvokeContext& context, const Row& row) {
        const Shape& shape = context.input(0)->shape;
        const std::int64_t columns = shape[shape.rank() - 1];
        const std::int64_t rows = columns == 0 ? 0 : shape.elements() / columns;
        const T* input = context.input(0)->as<T>();
        T* output = context.output().as<T>();
        const std::int64_t grain = expensive_grain / std::max<std::int64_t>(columns, 1) + 1;
        parallel_for(context.pool, rows, grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t r = begin; r < end; ++r)
                row(input + r * columns, output + r * columns, columns);
        });
    }

    template <typename T>
    void run_stored(InvokeContext& context) {
        for_each_row<T>(context, [this](const T* x, T* y, std::int64_t n) {
            const T max = *std::max_element(x, x + n);
            const auto exponential = [&](T stored) {
                return exponentials_[static_cast<std::size_t>(max - stored)];
            };
            float sum = 0;
            for (std::int64_t i = 0; i < n; ++i) sum += exponential(x[i]);
            const float scaled_sum = sum * output_scale_;
            const float inverse = 1 / scaled_sum;
            for (std::int64_t i = 0; i < n; ++i) y[i] = store(exponential(x[i]) * inverse, T{});
        });
    }

    float beta_;
    float output_scale_ = 0;
    std::array<float, 256> exponentials_{};  // at the distance from the row's largest value
};

}  // namespace

std::unique_ptr<Kernel> create_softmax(const Params& params) {
    const auto* own = std::get_if<SoftmaxParams>(&params);
    return own != nullptr ? std::make_unique<Softmax>(*own) : nullptr;
}

}  // namespace skiff::kernels
