// MUL. Stored integers: XREQ of the product of the two distances from zero; where the official
// library does not accelerate the node, GL; a tensor times itself is a table of squares
// (docs/exact.md).
#include "kernels/portable/arithmetic.h"
#include "kernels/portable/byte_table.h"
#include "kernels/portable/factories.h"

namespace skiff::kernels {

namespace {

struct AcceleratedProduct {
    Requantizer requantize;
    float ratio = 0;
    std::int32_t a_zero_point = 0, b_zero_point = 0;

    std::int32_t operator()(std::int32_t a, std::int32_t b) const {
        return requantize((a - a_zero_point) * (b - b_zero_point), ratio);
    }
};

struct BuiltinProduct {
    FixedMultiplier factor;
    std::int32_t a_zero_point = 0, b_zero_point = 0, zero_point = 0;
    IntegerRange range;

    std::int32_t operator()(std::int32_t a, std::int32_t b) const {
        const std::int32_t product = (a - a_zero_point) * (b - b_zero_point);
        return std::clamp(scale_ties_away(product, factor) + zero_point, range.lo, range.hi);
    }
};

class Mul final : public Kernel {
 public:
    explicit Mul(const ElementwiseParams& params) : activation_(params.activation) {}

    Status prepare(PrepareContext& context) override {
        bounds_ = TRY(float_activation(activation_));
        plan_ = TRY(prepare_arithmetic(context));
        if (context.output().quantization.present() && dtype_bits(context.output().dtype) == 8)
            return prepare_stored(context);
        return {};
    }

    Status invoke(InvokeContext& context) override {
        const auto f = [](auto a, auto b) { return a * b; };
        if (!run_plain(plan_, context, bounds_, f)) run_bytes(context);
        return {};
    }

 private:
    enum class Rule { accelerated, squares, builtin };

    void run_bytes(InvokeContext& context) {
        switch (rule_) {
            case Rule::accelerated:
                run_stored(plan_, context, product_);
                break;
            case Rule::squares:
                map_elements<std::uint8_t, std::uint8_t>(context, cheap_grain, squares_);
                break;
            case Rule::builtin:
                run_stored(plan_, context, builtin_product_);
                break;
        }
    }

    Status prepare_stored(const PrepareContext& context) {
        const TensorQuantization& a = context.input(0)->quantization;
        const TensorQuantization& b = context.input(1)->quantization;
        const TensorQuantization& out = context.output().quantization;
        const DType type = context.output().dtype;
        const float ratio = scale_ratio(a.scale(), b.scale(), out.scale());
        if (ratio >= 0x1p-16f && ratio < 0x1p8f && plan_.shape.rank() <= max_accelerated_rank) {
            const IntegerRange range =
                stored_activation(bounds_, out.scale(), out.zero_point(), type);
            if (context.input(0) == context.input(1)) return prepare_squares(a, out, range, type);
            rule_ = Rule::accelerated;
            product_.requantize = Requantizer(range, out.zero_point());
            product_.ratio = ratio;
            product_.a_zero_point = a.zero_point();
            product_.b_zero_point = b.zero_point();
            return {};
        }
        rule_ = Rule::builtin;
        // The library's built-in kernel loses high bits of products above 2^15 here and there.
        if (!(ratio * 65025.f < 32512.f))
            return unimplemented(
                "the output's scale is too small for the inputs': quantize the model with a wider "
                "output range");
        builtin_product_.factor = fixed_multiplier(ratio);
        builtin_product_.a_zero_point = a.zero_point();
        builtin_product_.b_zero_point = b.zero_point();
        builtin_product_.zero_point = out.zero_point();
        builtin_product_.range = builtin_activation(bounds_, out.scale(), out.zero_point(), type);
        return {};
    }

    // y = rne(f(f(v*v * f(1/so)) + zo)), v = f((x - zi) * si), in float32.
    Status prepare_squares(const TensorQuantization& in, const TensorQuantization& out,
                           IntegerRange range, DType type) {
        rule_ = Rule::squares;
        const float inverse = 1 / out.scale();
        const auto zero_point = static_cast<float>(out.zero_point());
        squares_.fill(type, [&](std::int32_t stored) {
            const float x = static_cast<float>(stored - in.zero_point()) * in.scale();
            const float square = x * x;
            const float scaled = square * inverse;
            return round_to_even(clamp_float(scaled + zero_point, static_cast<float>(range.lo),
                                             static_cast<float>(range.hi)));
        });
        return {};
    }

    Activation activation_;
    FloatRange bounds_;
    Broadcast plan_;
    Rule rule_ = Rule::builtin;  // of stored integers
    AcceleratedProduct product_;
    BuiltinProduct builtin_product_;
    ByteTable squares_;
};

}  // namespace

std::unique_ptr<Kernel> create_mul(const Params& params) {
    const auto* own = std::get_if<ElementwiseParams>(&params);
    return own != nullptr ? std::make_unique<Mul>(*own) : nullptr;
}

}  // namespace skiff::kernels
