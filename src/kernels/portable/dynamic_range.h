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

// One image of DEPTHWISE_CONV_2D, the rule of the built-in kernel: the range is a float, the zero
// point comes from doubles. Values are rounded half away from zero before the zero point is added;
// in whole eights by adding a half and cutting off, which takes 0.49999997 to 1, the n mod 8 that
// remain exactly.
inline float quantize_group_builtin(const float* x, std::int64_t n, std::int16_t* out) {
    const FloatExtent e = extent(x, n);
    if (e.lo == e.hi) {
        std::fill_n(out, n, std::int16_t{0});
        return 1;
    }
    const float range = e.hi - e.lo;
    const double wide_scale = static_cast<double>(range) / 255;
    const double lo = e.lo / wide_scale, hi = e.hi / wide_scale;
    const double exact = 128 + std::abs(lo) < 127 + std::abs(hi) ? -128 - lo : 127 - hi;
    const auto zero_point =
        static_cast<std::int32_t>(std::round(std::min(std::max(-128.0, exact), 127.0)));
    const auto scale = static_cast<float>(wide_scale);
    const float inverse = 1.f / scale;
    const auto cut = [&](float shifted) {
        const auto whole = static_cast<std::int32_t>(std::min(std::max(-256.f, shifted), 256.f));
        return static_cast<std::int16_t>(std::clamp(whole, -128 - zero_point, 127 - zero_point));
    };
    std::int64_t i = 0;
    for (; i < n / 8 * 8; ++i) {
        const float scaled = x[i] * inverse;
        out[i] = cut(scaled + (scaled < 0 ? -0.5f : 0.5f));
    }
    for (; i < n; ++i) out[i] = cut(std::round(x[i] * inverse));
    return scale;
}

}  // namespace skiff::kernels
