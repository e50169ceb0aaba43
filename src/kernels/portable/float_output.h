// From sums to float32 outputs: bias, activation, and for integer sums the scales.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/portable/activation.h"

namespace skiff::kernels {

inline float clamp(float x, FloatRange bounds) {
    return std::min(std::max(x, bounds.lo), bounds.hi);
}

// `bias` may be null; both it and the sums start at the first of n channels.
inline void store_float(const float* sums, const float* bias, std::int64_t n, FloatRange bounds,
                        float* out) {
    for (std::int64_t i = 0; i < n; ++i)
        out[i] = clamp(bias != nullptr ? sums[i] + bias[i] : sums[i], bounds);
}

// Dynamic range, where the input was quantized with `input_scale`: float32(sum) * input scale *
// weight scale, in that order, plus bias. `weight_scales` are n, like the bias.
inline void store_hybrid(const std::int32_t* sums, float input_scale, const float* weight_scales,
                         const float* bias, std::int64_t n, FloatRange bounds, float* out) {
    for (std::int64_t i = 0; i < n; ++i) {
        const float scaled = static_cast<float>(sums[i]) * input_scale * weight_scales[i];
        out[i] = clamp(bias != nullptr ? scaled + bias[i] : scaled, bounds);
    }
}

// The built-in kernel's order: float32(sum) * (input scale * weight scale).
inline void store_hybrid_builtin(const std::int32_t* sums, float input_scale,
                                 const float* weight_scales, const float* bias, std::int64_t n,
                                 FloatRange bounds, float* out) {
    for (std::int64_t i = 0; i < n; ++i) {
        const float scaled = static_cast<float>(sums[i]) * (input_scale * weight_scales[i]);
        out[i] = clamp(bias != nullptr ? scaled + bias[i] : scaled, bounds);
    }
}

}  // namespace skiff::kernels
