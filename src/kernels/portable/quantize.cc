// QUANTIZE: float32 to int8, uint8 or int16; and one byte of quantization to another (docs/exact.md
// has the four rules: they differ in how they round).
#include "kernels/portable/byte_table.h"
#include "kernels/portable/elementwise.h"
#include "kernels/portable/factories.h"

namespace skiff::kernels {

namespace {

bool is_byte(DType type) {
    return type == DType::int8 || type == DType::uint8;
}

// Nearest, ties to even, of x * (1 / scale); NaN gives the largest value.
template <typename T>
struct FloatToByte {
    float inverse, lo, hi;  // lo and hi less the zero point
    std::int32_t zero_point;

    T operator()(float x) const {
        const float scaled = x * inverse;
        return static_cast<T>(round_to_even(std::max(lo, std::min(hi, scaled))) + zero_point);
    }
};

// A value already rounded, as the library's conversion to 32 bits leaves it: NaN and what does not
// fit give the smallest.
std::int16_t to_int16(double rounded, std::int32_t zero_point) {
    if (!(std::abs(rounded) < 0x1p31)) return -32768;
    const double shifted = rounded + zero_point;
    return static_cast<std::int16_t>(std::min(std::max(shifted, -32768.0), 32767.0));
}

class Quantize final : public Kernel {
 public:
    Status prepare(PrepareContext& context) override {
        TRY(check_arity(context, 1));
        const Tensor& input = *context.input(0);
        Tensor& output = context.output();
        const bool from_float = input.dtype == DType::float32;
        if (!is_byte(output.dtype) && !(from_float && output.dtype == DType::int16))
            return no_kernel_for(output.dtype);
        if (!from_float && !is_byte(input.dtype)) return no_kernel_for(input.dtype);
        TRY(check_quantized(output, "output"));
        output.shape = input.shape;
        if (from_float) {
            if (!std::isfinite(1 / output.quantization.scale()))
                return invalid("the output's scale is too small");
            return {};
        }
        TRY(check_quantized(input, "input"));
        allow_in_place(context, 0);
        return prepare_tables(input, output);
    }

    Status invoke(InvokeContext& context) override {
        if (context.input(0)->dtype != DType::float32)
            run_tables(context);
        else if (context.output().dtype == DType::int8)
            run_float_to_byte<std::int8_t>(context);
        else if (context.output().dtype == DType::uint8)
            run_float_to_byte<std::uint8_t>(context);
        else
            run_float_to_int16(context);
        return {};
    }

 private:
    // The library works on blocks of so many values; a tail shorter than that rounds otherwise.
    static constexpr std::int64_t byte_block = 16, int16_block = 8;

    Status prepare_tables(const Tensor& input, const Tensor& output) {
        const TensorQuantization &in = input.quantization, &out = output.quantization;
        const IntegerRange range = stored_range(output.dtype);
        const auto fill = [&](ByteTable& table, const auto& scale_distance) {
            table.fill(input.dtype, [&](std::int32_t stored) {
                const std::int64_t scaled = scale_distance(stored - in.zero_point());
                return static_cast<std::int32_t>(
                    std::clamp<std::int64_t>(scaled + out.zero_point(), range.lo, range.hi));
            });
        };
        const float ratio = in.scale() / out.scale();
        if (input.dtype == output.dtype && ratio >= 0x1p-8f && ratio <= 0x1p7f) {
            const auto factor = static_cast<std::int32_t>(std::nearbyint(256.f * ratio));
            fill(block_table_, [&](std::int32_t x) { return (x * factor + 128) >> 8; });
            tail_table_ = block_table_;
            return {};
        }
        const FixedMultiplier factor =
            fixed_multiplier(static_cast<double>(in.scale()) / static_cast<double>(out.scale()));
        fill(block_table_, [&](std::int32_t x) { return scale_ties_up(x, factor); });
        fill(tail_table_, [&](std::int32_t x) { return scale_ties_away(x, factor); });
        return {};
    }

    void run_tables(InvokeContext& context) {
        const std::uint8_t* input = context.input(0)->data;
        std::uint8_t* output = context.output().data;
        const std::int64_t n = context.input(0)->shape.elements();
        const std::int64_t blocks_end = n / byte_block * byte_block;
        parallel_for(context.pool, n, cheap_grain, [&](std::int64_t begin, std::int64_t end) {
            std::int64_t i = begin;
            for (; i < std::min(end, blocks_end); ++i) output[i] = block_table_(input[i]);
            for (; i < end; ++i) output[i] = tail_table_(input[i]);
        });
    }

    template <typename T>
    void run_float_to_byte(InvokeContext& context) {
        const TensorQuantization& out = context.output().quantization;
        const IntegerRange range = stored_range(context.output().dtype);
        const std::int32_t zero_point = out.zero_point();
        const FloatToByte<T> convert{1 / out.scale(), static_cast<float>(range.lo - zero_point),
                                     static_cast<float>(range.hi - zero_point), zero_point};
        map_elements<float, T>(context, cheap_grain, convert);
    }

    void run_float_to_int16(InvokeContext& context) {
        const float* input = context.input(0)->as<float>();
        std::int16_t* output = context.output().as<std::int16_t>();
        const float scale = context.output().quantization.scale(), inverse = 1 / scale;
        const std::int32_t zero_point = context.output().quantization.zero_point();
        const std::int64_t n = context.input(0)->shape.elements();
        const std::int64_t blocks_end = n / int16_block * int16_block;
        parallel_for(context.pool, n, cheap_grain, [&](std::int64_t begin, std::int64_t end) {
            std::int64_t i = begin;
            for (; i < std::min(end, blocks_end); ++i) {
                const float scaled = input[i] * inverse;
                output[i] = to_int16(std::nearbyint(scaled), zero_point);
            }
            for (; i < end; ++i)
                output[i] = to_int16(std::round(static_cast<double>(input[i]) / scale), zero_point);
        });
    }

    ByteTable block_table_, tail_table_;
};

}  // namespace

std::unique_ptr<Kernel> create_quantize(const Params& params) {
    return std::holds_alternative<std::monostate>(params) ? std::make_unique<Quantize>() : nullptr;
}

}  // namespace skiff::kernels
