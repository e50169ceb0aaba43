// MEAN over the dimensions that the second input names (int32; negative ones count from the end).
// Stored integers: the rule of the official library's accelerated path; where the axes are not
// constant or none, its built-in rule (docs/exact.md).
#include <array>

#include "kernels/portable/elementwise.h"
#include "kernels/portable/factories.h"
#include "kernels/portable/reduce.h"

namespace skiff::kernels {

namespace {

// y = f(f(f(sum) * r) + off), r = f(f(si / so) * f(1 / n)), off = f(zo - f(f(n * zi) * r)).
struct AcceleratedMean {
    float ratio = 0, offset = 0, lo = 0, hi = 0;

    std::int32_t operator()(std::int32_t sum) const {
        const float scaled = static_cast<float>(sum) * ratio;
        return round_to_even(clamp_float(scaled + offset, lo, hi));
    }
};

// y = GL(sum - n * zi, (si / so) / n) + zo; the division by n is folded into the mantissa.
struct BuiltinMean {
    FixedMultiplier factor;
    std::int32_t input_offset = 0;  // n * zi
    std::int32_t zero_point = 0;
    IntegerRange range;

    std::int32_t operator()(std::int32_t sum) const {
        const std::int64_t scaled = scale_ties_away(sum - input_offset, factor);
        return static_cast<std::int32_t>(
            std::clamp<std::int64_t>(scaled + zero_point, range.lo, range.hi));
    }
};

class Mean final : public Kernel {
 public:
    explicit Mean(const ReduceParams& params) : params_(params) {}

    Status prepare(PrepareContext& context) override {
        TRY(check_arity(context, 2));
        const Tensor &input = *context.input(0), &axes = *context.input(1);
        Tensor& output = context.output();
        TRY(check_same_dtype(input, output));
        if (axes.dtype != DType::int32) return invalid("the axes must be int32");
        if (axes.data == nullptr && axes.shape.elements() != 0) {
            context.shape_needs_data = true;
            return {};
        }
        const auto count = static_cast<std::size_t>(axes.shape.elements());
        plan_ = TRY(plan_reduction(input.shape, {axes.as<std::int32_t>(), count}));
        output.shape = params_.keep_dims ? plan_.kept_shape : plan_.squeezed_shape;
        switch (input.dtype) {
            case DType::float32:
            case DType::int32:
            case DType::int64:
                context.scratch_bytes = scratch_bytes(8);
                return {};
            case DType::int8:
            case DType::uint8:
                context.scratch_bytes = scratch_bytes(4);
                TRY(check_quantized(input, "input"));
                TRY(check_quantized(output, "output"));
                return prepare_stored(input, output, axes.constant && count != 0);
            default:
                return no_kernel_for(input.dtype);
        }
    }

    Status invoke(InvokeContext& context) override {
        switch (context.output().dtype) {
            case DType::float32:
                run<float, double>(context, [n = plan_.count](double sum) {
                    return static_cast<float>(sum / static_cast<double>(n));
                });
                break;
            case DType::int32:
                run<std::int32_t, std::int64_t>(context, [this](std::int64_t sum) {
                    return plan_.count == 0 ? 0 : static_cast<std::int32_t>(sum / plan_.count);
                });
                break;
            case DType::int64:
                run<std::int64_t, std::uint64_t>(context, [this](std::uint64_t sum) {
                    return plan_.count == 0 ? 0 : static_cast<std::int64_t>(sum) / plan_.count;
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
    std::size_t scratch_bytes(std::size_t sum_bytes) const {
        return static_cast<std::size_t>(plan_.kept_shape.elements()) * sum_bytes;
    }

    Status prepare_stored(const Tensor& input, const Tensor& output, bool accelerated) {
        accelerated_ = accelerated;
        if (plan_.count > std::int64_t{1} << 23)  // the sums are 32 bits wide
            return unimplemented("a mean of more than 2^23 integers");
        if (plan_.count == 0) return {};
        const TensorQuantization &in = input.quantization, &out = output.quantization;
        const auto n = static_cast<std::int32_t>(plan_.count);
        const IntegerRange range = stored_range(output.dtype);
        const float scales = in.scale() / out.scale();
        if (!std::isfinite(scales)) return invalid("the output's scale is too small");
        if (accelerated) {
            mean_.ratio = scales * (1.f / static_cast<float>(n));
            const float zeros = static_cast<float>(n * in.zero_point()) * mean_.ratio;
            mean_.offset = static_cast<float>(out.zero_point()) - zeros;
            mean_.lo = static_cast<float>(range.lo);
            mean_.hi = static_cast<float>(range.hi);
            return {};
        }
        if (params_.keep_dims && plan_.is_spatial)
            return unimplemented("axes [1,2] that are not constant, on integers");
        FixedMultiplier factor =
            fixed_multiplier(static_cast<double>(in.scale()) / static_cast<double>(out.scale()));
        const int shift =
            std::min(static_cast<int>(std::bit_width(static_cast<std::uint32_t>(n))) - 1,
                     31 + factor.exponent);
        factor.mantissa = static_cast<std::int32_t>((std::int64_t{factor.mantissa} << shift) / n);
        factor.exponent -= shift;
        builtin_mean_ = {factor, n * in.zero_point(), out.zero_point(), range};
        return {};
    }

    // Sums, then finish(sum) for each output element.
    template <typename T, typename Sum, typename Finish>
    void run(InvokeContext& context, const Finish& finish) {
        reduce_sums<T, Sum>(plan_, context, [&](const Sum* sums, T* output, std::int64_t n) {
            for (std::int64_t i = 0; i < n; ++i) output[i] = static_cast<T>(finish(sums[i]));
        });
    }

    template <typename T>
    void run_stored(InvokeContext& context) {
        if (plan_.count == 0)
            run<T, std::int32_t>(context, [](std::int32_t) { return 0; });
        else if (accelerated_)
            run<T, std::int32_t>(context, mean_);
        else
            run<T, std::int32_t>(context, builtin_mean_);
    }

    ReduceParams params_;
    Reduction plan_;
    bool accelerated_ = false;  // which of the two rules
    AcceleratedMean mean_;
    BuiltinMean builtin_mean_;
};

}  // namespace

std::unique_ptr<Kernel> create_mean(const Params& params) {
    const auto* own = std::get_if<ReduceParams>(&params);
    return own != nullptr ? std::make_unique<Mean>(*own) : nullptr;
}

}  // namespace skiff::kernels
