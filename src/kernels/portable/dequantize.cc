// DEQUANTIZE: int8, uint8, int16 (stored - zero point) * scale, one float32 operation each; float16
// widened. int8 and uint8 also with a scale per index of one dimension.
#include <bit>

#include "kernels/portable/elementwise.h"
#include "kernels/portable/factories.h"

namespace skiff::kernels {

namespace {

float widen_half(std::uint16_t bits) {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
    const std::uint32_t exponent = (bits >> 10) & 31, fraction = bits & 0x3ff;
    if (exponent == 0) {  // 0 and subnormals: fraction * 2^-24
        const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
    }
    const std::uint32_t wide_exponent = exponent == 31 ? 255 : exponent + (127 - 15);
    return std::bit_cast<float>(sign | wide_exponent << 23 | fraction << 13);
}

template <typename T>
void dequantize(InvokeContext& context) {
    const TensorQuantization& q = context.input(0)->quantization;
    const std::int32_t zero_point = q.zero_point();
    map_elements<T, float>(context, cheap_grain, [zero_point, scale = q.scale()](T x) {
        return static_cast<float>(x - zero_point) * scale;
    });
}

// Rows of the dimensions after the quantized one share a scale.
template <typename T>
void dequantize_per_channel(InvokeContext& context) {
    const Tensor& input = *context.input(0);
    const TensorQuantization& q = input.quantization;
    std::int64_t rows = 1, columns = 1;
    for (int i = 0; i < input.shape.rank(); ++i) (i <= q.axis ? rows : columns) *= input.shape[i];
    const T* in = input.as<T>();
    float* out = context.output().as<float>();
    const auto channels = static_cast<std::int64_t>(q.scales.size());
    const std::int64_t grain = cheap_grain / std::max<std::int64_t>(columns, 1) + 1;
    parallel_for(context.pool, rows, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const auto channel = static_cast<std::size_t>(row % channels);
            const auto zero_point = static_cast<std::int32_t>(q.zero_points[channel]);
            const float scale = q.scales[channel];
            for (std::int64_t i = row * columns; i < (row + 1) * columns; ++i)
                out[i] = static_cast<float>(in[i] - zero_point) * scale;
        }
    });
}

Status check_per_channel(const Tensor& input) {
    const TensorQuantization& q = input.quantization;
    if (input.dtype == DType::int16) return unimplemented("int16 quantized per channel");
    if (q.axis < 0 || q.axis >= input.shape.rank() ||
        q.scales.size() != static_cast<std::size_t>(input.shape[q.axis]) ||
        q.zero_points.size() != q.scales.size())
        return invalid(std::string("the input's scales do not fit its shape ") +
                       input.shape.to_string());
    const IntegerRange range = stored_range(input.dtype);
    for (std::size_t i = 0; i < q.scales.size(); ++i)
        if (!usable_scale(q.scales[i]) || q.zero_points[i] < range.lo ||
            q.zero_points[i] > range.hi)
            return invalid("a scale or zero point of the input is out of range");
    return {};
}

class Dequantize final : public Kernel {
 public:
    Status prepare(PrepareContext& context) override {
        TRY(check_arity(context, 1));
        const Tensor& input = *context.input(0);
        Tensor& output = context.output();
        if (output.dtype != DType::float32) return no_kernel_for(output.dtype);
        output.shape = input.shape;
        if (input.dtype == DType::float16) return {};
        if (input.dtype != DType::int8 && input.dtype != DType::uint8 &&
            input.dtype != DType::int16)
            return no_kernel_for(input.dtype);
        if (input.quantization.per_channel()) return check_per_channel(input);
        return check_quantized(input, "input");
    }

    Status invoke(InvokeContext& context) override {
        const Tensor& input = *context.input(0);
        const bool per_channel = input.quantization.per_channel();
        if (input.dtype == DType::float16)
            map_elements<std::uint16_t, float>(context, cheap_grain,
                                               [](std::uint16_t x) { return widen_half(x); });
        else if (input.dtype == DType::int16)
            dequantize<std::int16_t>(context);
        else if (input.dtype == DType::int8)
            per_channel ? dequantize_per_channel<std::int8_t>(context)
                        : dequantize<std::int8_t>(context);
        else
            per_channel ? dequantize_per_channel<std::uint8_t>(context)
                        : dequantize<std::uint8_t>(context);
        return {};
    }
};

}  // namespace

std::unique_ptr<Kernel> create_dequantize(const Params& params) {
    return std::holds_alternative<std::monostate>(params) ? std::make_unique<Dequantize>()
                                                          : nullptr;
}

}  // namespace skiff::kernels
