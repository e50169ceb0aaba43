// CONCATENATION along one dimension. Elements are copied; uint8 of another scale or zero point than
// the output's is converted, by a table per input. int16 of another scale is copied as it is: the
// official library does so.
#include <cstring>
#include <vector>

#include "kernels/portable/byte_table.h"
#include "kernels/portable/elementwise.h"
#include "kernels/portable/factories.h"

namespace skiff::kernels {

namespace {

bool same_quantization(const Tensor& a, const Tensor& b) {
    return a.quantization.scale() == b.quantization.scale() &&
           a.quantization.zero_point() == b.quantization.zero_point();
}

class Concatenation final : public Kernel {
 public:
    explicit Concatenation(const ConcatenationParams& params) : params_(params) {}

    Status prepare(PrepareContext& context) override {
        if (context.inputs.empty()) return invalid("there is nothing to concatenate");
        TRY(check_arity(context, context.inputs.size()));
        if (params_.activation != Activation::none)
            return unimplemented("a fused activation of CONCATENATION");
        TRY(prepare_shape(context));
        parts_.clear();
        tables_.clear();
        for (const Tensor* input : context.inputs) TRY(add_part(*input, context.output()));
        return {};
    }

    Status invoke(InvokeContext& context) override {
        const std::int64_t grain = cheap_grain / std::max<std::int64_t>(row_bytes_, 1) + 1;
        parallel_for(context.pool, rows_, grain, [&](std::int64_t begin, std::int64_t end) {
            std::uint8_t* output = context.output().data + begin * row_bytes_;
            for (std::int64_t row = begin; row < end; ++row)
                for (std::size_t i = 0; i < parts_.size(); ++i) {
                    const Part& part = parts_[i];
                    if (part.bytes == 0) continue;
                    copy(part, context.input(i)->data + row * part.bytes, output);
                    output += part.bytes;
                }
        });
        return {};
    }

 private:
    // One input's share of a row: a row is everything from the axis inwards.
    struct Part {
        std::int64_t bytes = 0;
        int table = -1;  // index in tables_; -1: copied
    };

    Status prepare_shape(PrepareContext& context) {
        const Shape& first = context.input(0)->shape;
        const int rank = first.rank();
        if (rank == 0) return invalid("scalars cannot be concatenated");
        const std::int64_t axis =
            params_.axis < 0 ? std::int64_t{params_.axis} + rank : params_.axis;
        if (axis < 0 || axis >= rank)
            return invalid(std::string("axis ") + std::to_string(params_.axis) + " is not one of " +
                           std::to_string(rank) + " dimensions");
        axis_ = static_cast<int>(axis);
        Shape shape = first;
        std::int64_t total = 0;
        for (const Tensor* input : context.inputs) {
            Shape rest = input->shape;
            if (rest.rank() == rank) rest[axis_] = first[axis_];
            if (!(rest == first))
                return invalid(std::string("shapes ") + first.to_string() + " and " +
                               input->shape.to_string() + " differ outside axis " +
                               std::to_string(axis_));
            total += input->shape[axis_];
        }
        if (total > INT32_MAX) return invalid("the output is too large");
        shape[axis_] = static_cast<std::int32_t>(total);
        TRY(check_size(shape));
        context.output().shape = shape;
        rows_ = 1;
        for (int i = 0; i < axis_; ++i) rows_ *= shape[i];
        const int bits = dtype_bits(context.output().dtype);
        if (bits == 0 || bits % 8 != 0) return no_kernel_for(context.output().dtype);
        row_bytes_ = rows_ == 0 ? 0 : shape.elements() / rows_ * (bits / 8);
        return {};
    }

    Status add_part(const Tensor& input, const Tensor& output) {
        TRY(check_same_dtype(input, output));
        Part part;
        part.bytes = rows_ == 0 ? 0 : byte_size(input) / rows_;
        const bool byte = input.dtype == DType::int8 || input.dtype == DType::uint8;
        if (byte && !same_quantization(input, output)) {
            if (input.dtype == DType::int8)
                return invalid("int8 inputs must have the output's scale and zero point");
            TRY(check_quantized(input, "input"));
            TRY(check_quantized(output, "output"));
            part.table = static_cast<int>(tables_.size());
            tables_.push_back(TRY(conversion(input.quantization, output.quantization)));
        }
        parts_.push_back(part);
        return {};
    }

    // y = rha(f(f(x * k) + f(-zi * k))) + zo, k = f(si * f(1 / so)), in float32.
    static Result<ByteTable> conversion(const TensorQuantization& in,
                                        const TensorQuantization& out) {
        const float factor = in.scale() * (1 / out.scale());
        const float offset = -static_cast<float>(in.zero_point()) * factor;
        if (!std::isfinite(factor * 255.f))
            return invalid("the output's scale is too small for an input's");
        ByteTable table;
        table.fill(DType::uint8, [&](std::int32_t stored) {
            const float scaled = static_cast<float>(stored) * factor;
            const float rounded =
                std::round(scaled + offset) + static_cast<float>(out.zero_point());
            return static_cast<std::int32_t>(clamp_float(rounded, 0, 255));
        });
        return table;
    }

    void copy(const Part& part, const std::uint8_t* from, std::uint8_t* to) const {
        if (part.table < 0) {
            std::memcpy(to, from, static_cast<std::size_t>(part.bytes));
            return;
        }
        const ByteTable& table = tables_[static_cast<std::size_t>(part.table)];
        for (std::int64_t i = 0; i < part.bytes; ++i) to[i] = table(from[i]);
    }

    ConcatenationParams params_;
    int axis_ = 0;
    std::int64_t rows_ = 0, row_bytes_ = 0;
    std::vector<Part> parts_;  // one per input
    std::vector<ByteTable> tables_;
};

}  // namespace

std::unique_ptr<Kernel> create_concatenation(const Params& params) {
    const auto* own = std::get_if<ConcatenationParams>(&params);
    return own != nullptr ? std::make_unique<Concatenation>(*own) : nullptr;
}

}  // namespace skiff::kernels
