// ADD and SUB. Stored integers: both inputs are brought to the output's scale with 20-bit factors
// and one common shift, ties up; where the official library does not accelerate the node, its
// built-in rule (docs/exact.md).
#include "kernels/portable/arithmetic.h"
#include "kernels/portable/factories.h"

namespace skiff::kernels {

namespace {

// y = ((2^(k-1) + A*(a - za) + B*(b - zb)) >> k) + zo with k = 20 - floor(log2 of the larger
// ratio). All sums fit: |A|, |B| <= 2^21, factors of them are at most 255.
struct AcceleratedSum {
    std::int32_t bias = 0;  // 2^(k-1) - A*za - B*zb
    std::int32_t a_factor = 0, b_factor = 0;
    int shift = 0;
    std::int32_t zero_point = 0;
    IntegerRange range;

    std::int32_t operator()(std::int32_t a, std::int32_t b) const {
        const std::int32_t sum = bias + a * a_factor + b * b_factor;
        return std::clamp((sum >> shift) + zero_point, range.lo, range.hi);
    }
};

// y = GL(GL((a - za) << 20, sa / 2m) +- GL((b - zb) << 20, sb / 2m), 2m / (2^20 so)) + zo,
// m = max(sa, sb), factors in double.
struct BuiltinSum {
    FixedMultiplier a_factor, b_factor, output_factor;
    std::int32_t a_zero_point = 0, b_zero_point = 0, zero_point = 0;
    std::int32_t sign = 1;  // of b
    IntegerRange range;

    std::int32_t operator()(std::int32_t a, std::int32_t b) const {
        const std::int32_t sum = scale_ties_away((a - a_zero_point) * (1 << 20), a_factor) +
                                 sign * scale_ties_away((b - b_zero_point) * (1 << 20), b_factor);
        return std::clamp(scale_ties_away(sum, output_factor) + zero_point, range.lo, range.hi);
    }
};

class AddSub final : public Kernel {
 public:
    AddSub(const ElementwiseParams& params, bool subtract)
        : activation_(params.activation), subtract_(subtract) {}

    Status prepare(PrepareContext& context) override {
        bounds_ = TRY(float_activation(activation_));
        plan_ = TRY(prepare_arithmetic(context));
        if (context.output().quantization.present() && dtype_bits(context.output().dtype) == 8)
            return prepare_stored(context);
        return {};
    }

    Status invoke(InvokeContext& context) override {
        const bool subtract = subtract_;
        const auto f = [subtract](auto a, auto b) { return subtract ? a - b : a + b; };
        if (run_plain(plan_, context, bounds_, f)) return {};
        if (accelerated_)
            run_stored(plan_, context, sum_);
        else
            run_stored(plan_, context, builtin_sum_);
        return {};
    }

 private:
    Status prepare_stored(const PrepareContext& context) {
        const TensorQuantization& a = context.input(0)->quantization;
        const TensorQuantization& b = context.input(1)->quantization;
        const TensorQuantization& out = context.output().quantization;
        const float a_ratio = a.scale() / out.scale(), b_ratio = b.scale() / out.scale();
        const float largest = std::max(a_ratio, b_ratio), smallest = std::min(a_ratio, b_ratio);
        accelerated_ =
            smallest >= 0x1p-10f && largest < 0x1p8f && plan_.shape.rank() <= max_accelerated_rank;
        if (!accelerated_) return prepare_builtin(context);
        const auto factor = [&](float ratio) {
            return static_cast<std::int32_t>(
                std::nearbyint(std::ldexp(static_cast<double>(ratio), sum_.shift)));
        };
        const DType type = context.output().dtype;
        sum_.shift = 20 - std::ilogb(largest);
        sum_.a_factor = factor(a_ratio);
        sum_.b_factor = subtract_ ? -factor(b_ratio) : factor(b_ratio);
        sum_.bias = (1 << (sum_.shift - 1)) - sum_.a_factor * a.zero_point() -
                    sum_.b_factor * b.zero_point();
        sum_.zero_point = out.zero_point();
        sum_.range = stored_activation(bounds_, out.scale(), out.zero_point(), type);
        return {};
    }

    Status prepare_builtin(const PrepareContext& context) {
        const TensorQuantization& a = context.input(0)->quantization;
        const TensorQuantization& b = context.input(1)->quantization;
        const TensorQuantization& out = context.output().quantization;
        const double a_scale = a.scale(), b_scale = b.scale(), scale = out.scale();
        const double twice_max = 2 * std::max(a_scale, b_scale);
        const double output_factor = twice_max / (0x1p20 * scale);
        // The library loses high bits of larger sums of an ADD, here and there; it stops at
        // factors of 1.
        if (output_factor >= 1 || (!subtract_ && (a_scale + b_scale) / scale > 126))
            return unimplemented(
                "the output's scale is more than 100 times smaller than an input's: quantize the "
                "model with a wider output range");
        builtin_sum_.a_factor = fixed_multiplier(a_scale / twice_max);
        builtin_sum_.b_factor = fixed_multiplier(b_scale / twice_max);
        builtin_sum_.output_factor = fixed_multiplier(output_factor);
        builtin_sum_.a_zero_point = a.zero_point();
        builtin_sum_.b_zero_point = b.zero_point();
        builtin_sum_.zero_point = out.zero_point();
        builtin_sum_.sign = subtract_ ? -1 : 1;
        builtin_sum_.range =
            builtin_activation(bounds_, out.scale(), out.zero_point(), context.output().dtype);
        return {};
    }

    Activation activation_;
    bool subtract_;
    FloatRange bounds_;
    Broadcast plan_;
    bool accelerated_ = false;  // which of the two rules
    AcceleratedSum sum_;
    BuiltinSum builtin_sum_;
};

std::unique_ptr<Kernel> create(const Params& params, bool subtract) {
    const auto* own = std::get_if<ElementwiseParams>(&params);
    return own != nullptr ? std::make_unique<AddSub>(*own, subtract) : nullptr;
}

}  // namespace

std::unique_ptr<Kernel> create_add(const Params& params) {
    return create(params, false);
}

std::unique_ptr<Kernel> create_sub(const Params& params) {
    return create(params, true);
}

}  // namespace skiff::kernels
