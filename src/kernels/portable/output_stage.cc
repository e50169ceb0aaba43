#include "kernels/portable/output_stage.h"

#include "kernels/portable/checks.h"

namespace skiff::kernels {

namespace {

std::int32_t add_wrapping(std::int32_t a, std::int32_t b) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

}  // namespace

Status check_weight_quantization(const Tensor& weights, int axis, std::int64_t channels) {
    const TensorQuantization& q = weights.quantization;
    if (!q.present()) return invalid("the weights have no quantization");
    for (const float scale : q.scales)
        if (!usable_scale(scale)) return invalid("a scale of the weights is not a positive number");
    if (!q.per_channel()) return check_quantized(weights, "weights");
    if (weights.dtype == DType::uint8)
        return unimplemented("uint8 weights with a scale per channel have no kernel");
    if (q.axis != axis || static_cast<std::int64_t>(q.scales.size()) != channels)
        return invalid("the weights have " + std::to_string(q.scales.size()) +
                       " scales on dimension " + std::to_string(q.axis) + ", not " +
                       std::to_string(channels) + " on dimension " + std::to_string(axis));
    for (const std::int64_t zero_point : q.zero_points)
        if (zero_point != 0) return invalid("weights with a scale per channel need zero point 0");
    return {};
}

std::vector<float> scales_per_channel(const Tensor& weights, std::int64_t channels) {
    const auto& scales = weights.quantization.scales;
    if (scales.size() > 1) return std::vector<float>(scales.begin(), scales.end());
    return std::vector<float>(static_cast<std::size_t>(channels), weights.quantization.scale());
}

Status OutputStage::prepare(const Tensor& input, const Tensor& weights, const Tensor& output,
                            std::int64_t channels, FloatRange bounds, Scaling scaling,
                            bool single_in_float) {
    const float input_scale = input.quantization.scale();
    const float output_scale = output.quantization.scale();
    scaling_ = scaling;
    zero_point_ = output.quantization.zero_point();
    ratios_.clear();
    factors_.clear();
    if (scaling == Scaling::float_ratio) {
        range_ = stored_activation(bounds, output_scale, zero_point_, output.dtype);
        requantizer_ = Requantizer(range_, zero_point_);
        for (const float weight_scale : scales_per_channel(weights, channels)) {
            ratios_.push_back(scale_ratio(input_scale, weight_scale, output_scale));
            if (!(ratios_.back() < 256))
                return unimplemented("input scale * weight scale / output scale is 256 or more");
        }
        return {};
    }
    range_ = builtin_activation(bounds, output_scale, zero_point_, output.dtype);
    ties_up_channels_ = scaling == Scaling::ties_up     ? channels
                        : scaling == Scaling::ties_away ? 0
                                                        : channels / 8 * 8;
    const bool in_float =
        weights.dtype == DType::uint8 || (single_in_float && !weights.quantization.per_channel());
    for (const float weight_scale : scales_per_channel(weights, channels)) {
        const float rounded = input_scale * weight_scale;
        const double exact = static_cast<double>(input_scale) * static_cast<double>(weight_scale);
        factors_.push_back(fixed_multiplier((in_float ? static_cast<double>(rounded) : exact) /
                                            static_cast<double>(output_scale)));
    }
    return {};
}

void OutputStage::store(const std::int32_t* sums, const std::int32_t* bias, std::int64_t first,
                        std::int64_t n, std::uint8_t* out) const {
    // The low byte of an int8 and of a uint8 in range is the stored element.
    if (scaling_ == Scaling::float_ratio) {
        const float* ratios = ratios_.data() + first;
        const Requantizer requantize = requantizer_;
        if (bias == nullptr) {
            for (std::int64_t i = 0; i < n; ++i)
                out[i] = static_cast<std::uint8_t>(requantize(sums[i], ratios[i]));
            return;
        }
        bias += first;
        for (std::int64_t i = 0; i < n; ++i)
            out[i] =
                static_cast<std::uint8_t>(requantize(add_wrapping(sums[i], bias[i]), ratios[i]));
        return;
    }
    for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t c = first + i;
        const FixedMultiplier factor = factors_[static_cast<std::size_t>(c)];
        const std::int32_t sum = bias == nullptr ? sums[i] : add_wrapping(sums[i], bias[c]);
        const std::int32_t scaled =
            c < ties_up_channels_ ? scale_ties_up(sum, factor) : scale_ties_away(sum, factor);
        const std::int64_t stored = static_cast<std::int64_t>(scaled) + zero_point_;
        out[i] = static_cast<std::uint8_t>(std::clamp<std::int64_t>(stored, range_.lo, range_.hi));
    }
}

}  // namespace skiff::kernels
