// PAD: adds elements around the input: 0, or the zero point of int8 and uint8. Second input: how
// many before and after each dimension, [rank, 2], int32 or int64.
#include <array>
#include <cstring>

#include "kernels/portable/elementwise.h"
#include "kernels/portable/factories.h"

namespace skiff::kernels {

namespace {

// One dimension of the input and what is added to it. The innermost counts bytes.
struct PaddedAxis {
    std::int64_t before = 0, size = 1, after = 0;
    std::int64_t padded() const { return before + size + after; }
};

class Pad final : public Kernel {
 public:
    Status prepare(PrepareContext& context) override {
        TRY(check_arity(context, 2));
        const Tensor &input = *context.input(0), &paddings = *context.input(1);
        TRY(check_same_dtype(input, context.output()));
        TRY(prepare_fill(input, context.output()));
        const int rank = input.shape.rank();
        if (paddings.dtype != DType::int32 && paddings.dtype != DType::int64)
            return invalid("the paddings must be int32 or int64");
        if (!(paddings.shape == Shape{rank, 2}))
            return invalid(std::string("the paddings must be [") + std::to_string(rank) +
                           ",2], not " + paddings.shape.to_string());
        if (paddings.data == nullptr && rank > 0) {
            context.shape_needs_data = true;
            return {};
        }
        return prepare_axes(input, paddings, context.output());
    }

    Status invoke(InvokeContext& context) override {
        std::int64_t rows = 1;
        for (int i = 0; i + 1 < axis_count_; ++i) rows *= axes_[index(i)].padded();
        const std::int64_t row_bytes = innermost().padded();
        const std::int64_t grain = cheap_grain / std::max<std::int64_t>(row_bytes, 1) + 1;
        if (row_bytes == 0) return {};
        parallel_for(context.pool, rows, grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row)
                write_row(row, context.input(0)->data, context.output().data + row * row_bytes);
        });
        return {};
    }

 private:
    static std::size_t index(int i) { return static_cast<std::size_t>(i); }
    const PaddedAxis& innermost() const { return axes_[index(axis_count_ - 1)]; }

    Status prepare_fill(const Tensor& input, const Tensor& output) {
        const int bits = dtype_bits(input.dtype);
        if (bits == 0 || bits % 8 != 0) return no_kernel_for(input.dtype);
        fill_ = 0;
        if (!input.quantization.present() && !output.quantization.present()) return {};
        if (input.dtype != DType::int8 && input.dtype != DType::uint8) return {};
        TRY(check_quantized(input, "input"));
        TRY(check_quantized(output, "output"));
        if (input.quantization.scale() != output.quantization.scale() ||
            input.quantization.zero_point() != output.quantization.zero_point())
            return invalid("PAD needs the same scale and zero point on both sides");
        fill_ = static_cast<std::uint8_t>(output.quantization.zero_point());
        return {};
    }

    Status prepare_axes(const Tensor& input, const Tensor& paddings, Tensor& output) {
        const auto padding = [&](int i) -> std::int64_t {
            return paddings.dtype == DType::int32 ? paddings.as<std::int32_t>()[i]
                                                  : paddings.as<std::int64_t>()[i];
        };
        const int rank = input.shape.rank();
        output.shape = input.shape;
        std::array<PaddedAxis, Shape::max_rank + 1> merged;  // innermost first
        merged[0].size = dtype_bits(input.dtype) / 8;
        std::size_t last = 0;
        for (int i = rank - 1; i >= 0; --i) {
            const PaddedAxis axis{padding(2 * i), input.shape[i], padding(2 * i + 1)};
            if (axis.before < 0 || axis.after < 0) return invalid("a padding is negative");
            if (axis.before > INT32_MAX || axis.after > INT32_MAX || axis.padded() > INT32_MAX)
                return invalid("the output is too large");
            output.shape[i] = static_cast<std::int32_t>(axis.padded());
            const bool whole = merged[last].before == 0 && merged[last].after == 0;
            const std::int64_t inner = merged[last].size;
            std::int64_t row = 0;
            if (whole && __builtin_mul_overflow(inner, axis.padded(), &row))
                return invalid("the output is too large");
            if (whole)  // the dimensions inside this one are not padded: longer rows
                merged[last] = {axis.before * inner, axis.size * inner, axis.after * inner};
            else
                merged[++last] = axis;
        }
        TRY(check_size(output.shape));
        axis_count_ = static_cast<int>(last) + 1;
        for (std::size_t i = 0; i <= last; ++i) axes_[i] = merged[last - i];
        return {};
    }

    // Row `row` of the output: the fill byte, or the input's row with the fill around it.
    void write_row(std::int64_t row, const std::uint8_t* input, std::uint8_t* output) const {
        std::int64_t input_row = 0, stride = 1;
        bool inside = true;
        for (int i = axis_count_ - 2; i >= 0; --i) {
            const PaddedAxis& axis = axes_[index(i)];
            const std::int64_t position = row % axis.padded() - axis.before;
            row /= axis.padded();
            inside = inside && position >= 0 && position < axis.size;
            input_row += position * stride;
            stride *= axis.size;
        }
        const PaddedAxis& bytes = innermost();
        if (!inside || bytes.size == 0) {
            std::memset(output, fill_, static_cast<std::size_t>(bytes.padded()));
            return;
        }
        std::memset(output, fill_, static_cast<std::size_t>(bytes.before));
        std::memcpy(output + bytes.before, input + input_row * bytes.size,
                    static_cast<std::size_t>(bytes.size));
        std::memset(output + bytes.before + bytes.size, fill_,
                    static_cast<std::size_t>(bytes.after));
    }

    std::uint8_t fill_ = 0;
    int axis_count_ = 1;
    std::array<PaddedAxis, Shape::max_rank + 1> axes_;  // outermost first
};

}  // namespace

std::unique_ptr<Kernel> create_pad(const Params& params) {
    return std::holds_alternative<std::monostate>(params) ? std::make_unique<Pad>() : nullptr;
}

}  // namespace skiff::kernels
