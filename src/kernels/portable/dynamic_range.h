// Float inputs of operators with integer weights, quantized while the model runs (dynamic range).
// docs/exact.md has the two rules; what comes out is a stored value less its zero point, as int16.
#pragma once

#include <cmath>

#include "kernels/portable/requantize.h"

namespace skiff::kernels {

struct FloatExtent {
    float lo = 0, hi = 0;  // zero is always inside
};

inline FloatExtent extent(const float* x, std::int64_t n) {
    // Eight running extremes, so that the compiler may compare eight values at a time. NaN is
    // passed over.
    float lo[8] = {}, hi[8] = {};
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int lane = 0; lane < 8; ++lane) {
            lo[lane] = std::min(lo[lane], x[i + lane]);
            hi[lane] = std::max(hi[lane], x[i + lane]);
        }
    for (; i < n; ++i) {
        lo[0] = std::min(lo[0], x[i]);
        hi[0] = std::max(hi[0], x[i]);
    }
    return {*std::min_element(lo, lo + 8), *std::max_element(hi, hi + 8)};
}

// One group of CONV_2D or FULLY_CONNECTED: quantizes n values into `out` and returns the group's
// scale.
inline float quantize_group(const float* x, std::int64_t n, std::int16_t* out) {
    const FloatExtent e = extent(x, n);
    const float range = e.hi - e.lo;
    const float factor = e.lo == e.hi ? 1.f : 255.f / range;
    const float below = e.lo * factor, above = e.hi * factor;
    const float error_below = -128.f + below, error_above = 127.f + above;
    const float exact = error_below + error_above > 0 ? -128.f - below : 127.f - above;
    // max(lo, x) is lo when x is not a number.
    const float zero_point = std::nearbyint(std::min(std::max(-128.f, exact), 127.f));
    const float lo = -128.f - zero_point, hi = 127.f - zero_point;
    for (std::int64_t i = 0; i < n; ++i)
        out[i] =
            static_cast<std::int16_t>(round_to_even(std::min(std::max(lo, x[i] * factor), hi)));
    return 1.f / factor;
}

// One image of DEPTHWISE_CONV_2D, the rule of the built-in kernel, in doubles.
inline float quantize_group_builtin(const float* x, std::int64_t n, std::int16_t* out) {
    const FloatExtent e = extent(x, n);
    if (e.lo == e.hi) {
        std::fill_n(out, n, std::int16_t{0});
        return 1;
    }
    const double lo = e.lo, hi = e.hi;
    const double wide_scale = (hi - lo) / 255;
    const double from_lo = -128 - lo / wide_scale, from_hi = 127 - hi / wide_scale;
    const bool take_lo = 128 + std::abs(lo / wide_scale) < 127 + std::abs(hi / wide_scale);
    const double exact = take_lo ? from_lo : from_hi;
    const auto zero_point =
        static_cast<float>(std::round(std::min(std::max(-128.0, exact), 127.0)));
    const auto scale = static_cast<float>(wide_scale);
    const float inverse = 1.f / scale;
    for (std::int64_t i = 0; i < n; ++i) {
        const float product = x[i] * inverse;
        const float shifted = std::min(std::max(-129.f, zero_point + product), 128.f);
        // Ties away from zero: the fraction of so small a number is exact.
        const auto whole = static_cast<std::int32_t>(shifted);
        const float fraction = shifted - static_cast<float>(whole);
        const std::int32_t rounded = whole + (fraction >= 0.5f) - (fraction <= -0.5f);
        out[i] = static_cast<std::int16_t>(std::clamp(rounded, -128, 127) -
                                           static_cast<std::int32_t>(zero_point));
    }
    return scale;
}

}  // namespace skiff::kernels
