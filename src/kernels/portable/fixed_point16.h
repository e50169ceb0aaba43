// 16-bit fixed point as the official library's built-in kernels use it (docs/exact.md, "Helpers").
// Values are int32 within the int16 range.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/portable/requantize.h"

namespace skiff::kernels {

inline std::int32_t saturate16(std::int64_t x) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(x, -32768, 32767));
}

// D: a * b / 2^15, ties up, saturated.
inline std::int32_t high_multiply16(std::int32_t a, std::int32_t b) {
    return saturate16((std::int64_t{a} * b + (1 << 14)) >> 15);
}

// The mantissa of a fixed multiplier in 16 bits: rounded, ties up, saturated.
inline std::int32_t mantissa16(FixedMultiplier factor) {
    return saturate16((std::int64_t{factor.mantissa} + (1 << 15)) >> 16);
}

}  // namespace skiff::kernels
