// Fused activations as bounds, on floats and on stored integers (rules XACT and TACT of
// docs/exact.md).
#pragma once

#include <cmath>
#include <limits>

#include "base/result.h"
#include "kernels/params.h"
#include "kernels/portable/requantize.h"

namespace skiff::kernels {

struct FloatRange {
    float lo = -std::numeric_limits<float>::infinity();
    float hi = std::numeric_limits<float>::infinity();
};

// The four activations that are a clamp. Fails on the others.
inline Result<FloatRange> float_activation(Activation activation) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    switch (activation) {
        case Activation::none:
            return FloatRange{-infinity, infinity};
        case Activation::relu:
            return FloatRange{0, infinity};
        case Activation::relu_n1_to_1:
            return FloatRange{-1, 1};
        case Activation::relu6:
            return FloatRange{0, 6};
        default:
            break;
    }
    return error(Code::unimplemented,
                 "a fused activation other than RELU, RELU6 and RELU_N1_TO_1 has no kernel");
}

// XACT: bound / scale + zero point in float32, clipped, rounded to even.
inline IntegerRange stored_activation(FloatRange bounds, float scale, std::int32_t zero_point,
                                      DType type) {
    const IntegerRange all = stored_range(type);
    const auto stored = [&](float bound) {
        const float quotient = bound / scale;
        const float shifted = quotient + static_cast<float>(zero_point);
        return static_cast<std::int32_t>(std::nearbyint(
            std::min(std::max(shifted, static_cast<float>(all.lo)), static_cast<float>(all.hi))));
    };
    return {stored(bounds.lo), stored(bounds.hi)};
}

// TACT, of the built-in kernels: zero point + round(bound / scale), ties away from zero, clipped.
inline IntegerRange builtin_activation(FloatRange bounds, float scale, std::int32_t zero_point,
                                       DType type) {
    const IntegerRange all = stored_range(type);
    const auto stored = [&](float bound) {
        const float quotient = bound / scale;
        const double shifted = static_cast<double>(zero_point) + std::round(quotient);
        return static_cast<std::int32_t>(
            std::min(std::max(shifted, static_cast<double>(all.lo)), static_cast<double>(all.hi)));
    };
    return {stored(bounds.lo), stored(bounds.hi)};
}

}  // namespace skiff::kernels
