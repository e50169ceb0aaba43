// From 32-bit sums to stored int8 or uint8 outputs: what the convolutions and FULLY_CONNECTED end
// with.
#pragma once

#include <vector>

#include "kernels/kernel.h"
#include "kernels/portable/activation.h"

namespace skiff::kernels {

// The official library scales in one of these ways (docs/exact.md says which operator takes which,
// when).
enum class Scaling {
    float_ratio,        // XREQ with XACT: nodes its accelerated path takes
    ties_up,            // UP with TACT: CONV_2D without groups and FULLY_CONNECTED it does not take
    ties_away,          // GL with TACT: uint8 DEPTHWISE_CONV_2D, and CONV_2D with groups
    ties_up_by_eights,  // UP for each 8 channels, GL for the remaining: int8 DEPTHWISE_CONV_2D it
                        // does not take
};

// Checks a weights tensor's quantization: one scale, or one for each of `channels` along `axis`,
// with zero points that the type can store; int8 and int4 weights per channel have zero point 0,
// uint8 weights are not per channel.
Status check_weight_quantization(const Tensor& weights, int axis, std::int64_t channels);

// The weights' scale of each of `channels`, where the model may give one for all.
std::vector<float> scales_per_channel(const Tensor& weights, std::int64_t channels);

class OutputStage {
 public:
    // Quantizations are checked already. Fails on scale ratios of 256 and more, as the library does
    // (float_ratio only). The other scalings form input scale * weight scale in double, but in
    // float32 for uint8 weights, and for weights of one scale where `single_in_float`.
    Status prepare(const Tensor& input, const Tensor& weights, const Tensor& output,
                   std::int64_t channels, FloatRange bounds, Scaling scaling,
                   bool single_in_float = false);

    // Adds the bias of channels [first, first + n) to n sums, scales them and stores n elements. A
    // null bias is zeros. `bias` points to channel 0. Sums wrap, as int32 do in the library.
    void store(const std::int32_t* sums, const std::int32_t* bias, std::int64_t first,
               std::int64_t n, std::uint8_t* out) const;

 private:
    Scaling scaling_ = Scaling::float_ratio;
    std::vector<float> ratios_;  // float_ratio, per channel
    Requantizer requantizer_;
    std::vector<FixedMultiplier> factors_;  // the others, per channel
    std::int64_t ties_up_channels_ = 0;     // the first ones; the rest rounds ties away from zero
    IntegerRange range_;
    std::int32_t zero_point_ = 0;
};

}  // namespace skiff::kernels
