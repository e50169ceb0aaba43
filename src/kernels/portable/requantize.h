// How an integer sum becomes a stored integer: the rules that several operators share
// (docs/exact.md names them).
//
// Every float operation here rounds once to float32: the build has -ffp-contract=off. The rules
// that the official library takes from its accelerated path are S and XREQ; those of its built-in
// kernels are QM, H, GL and UP.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include <skiff/base.h>

namespace skiff::kernels {

// Smallest and largest stored value of int8, uint8 and int16.
struct IntegerRange {
    std::int32_t lo = 0, hi = 0;
};

constexpr IntegerRange stored_range(DType type) {
    if (type == DType::uint8) return {0, 255};
    if (type == DType::int16) return {-32768, 32767};
    return {-128, 127};
}

// S: input scale * weight scale / output scale, two float32 operations in this order.
inline float scale_ratio(float input, float weight, float output) {
    const float product = input * weight;
    return product / output;
}

// Nearest, ties to even, for |x| <= 2^21: adding 1.5 * 2^23 leaves no fraction bits, and the
// integer in the low bits.
inline std::int32_t round_to_even(float x) {
    return std::bit_cast<std::int32_t>(x + 12582912.f) - std::bit_cast<std::int32_t>(12582912.f);
}

// XREQ: float32(sum) * ratio, clipped, rounded to even, zero point added. `lo` and `hi` are what
// the activation allows, as stored values; they and the zero point lie within the element type's
// range.
struct Requantizer {
    Requantizer() = default;
    Requantizer(IntegerRange range, std::int32_t output_zero_point)
        : lo(static_cast<float>(range.lo - output_zero_point)),
          hi(static_cast<float>(range.hi - output_zero_point)),
          zero_point(output_zero_point) {}

    std::int32_t operator()(std::int32_t sum, float ratio) const {
        const float scaled = static_cast<float>(sum) * ratio;
        return round_to_even(std::min(std::max(scaled, lo), hi)) + zero_point;
    }

    float lo = 0, hi = 0;
    std::int32_t zero_point = 0;
};

// A factor as the built-in kernels hold it: mantissa * 2^(exponent - 31), mantissa in [2^30, 2^31)
// or 0.
struct FixedMultiplier {
    std::int32_t mantissa = 0;
    int exponent = 0;
};

// QM. `factor` is finite and >= 0. Factors below 2^-32 become 0; those of 2^30 and more saturate.
inline FixedMultiplier fixed_multiplier(double factor) {
    int exponent = 0;
    const double fraction = std::frexp(factor, &exponent);
    auto mantissa = std::llround(fraction * 2147483648.0);
    if (mantissa == std::int64_t{1} << 31) {
        mantissa /= 2;
        ++exponent;
    }
    if (mantissa == 0 || exponent < -31) return {};
    if (exponent > 30) return {std::numeric_limits<std::int32_t>::max(), 30};
    return {static_cast<std::int32_t>(mantissa), exponent};
}

// H: x * mantissa / 2^31, ties up.
inline std::int32_t high_multiply(std::int32_t x, std::int32_t mantissa) {
    const std::int64_t product = static_cast<std::int64_t>(x) * mantissa;
    return static_cast<std::int32_t>((product + (std::int64_t{1} << 30)) >> 31);
}

// x / 2^shift, ties away from zero; 0 <= shift <= 31.
inline std::int32_t shift_ties_away(std::int32_t x, int shift) {
    const std::int64_t half = (std::int64_t{1} << shift) >> 1;
    const std::int64_t wide = x;
    return static_cast<std::int32_t>((wide < 0 ? wide + half - (shift > 0) : wide + half) >> shift);
}

// x / 2^shift, ties up; 0 <= shift <= 31.
inline std::int32_t shift_ties_up(std::int32_t x, int shift) {
    const std::int64_t half = (std::int64_t{1} << shift) >> 1;
    return static_cast<std::int32_t>((static_cast<std::int64_t>(x) + half) >> shift);
}

// The part of GL and UP before the last rounding. Left shifts wrap, as in the library.
inline std::int32_t scale_up(std::int32_t x, FixedMultiplier factor) {
    const auto shifted = static_cast<std::uint32_t>(x) << std::max(factor.exponent, 0);
    return high_multiply(static_cast<std::int32_t>(shifted), factor.mantissa);
}

// GL: x * factor, rounded twice, the second time with ties away from zero.
inline std::int32_t scale_ties_away(std::int32_t x, FixedMultiplier factor) {
    return shift_ties_away(scale_up(x, factor), std::max(-factor.exponent, 0));
}

// UP: x * factor, rounded twice, both times with ties up.
inline std::int32_t scale_ties_up(std::int32_t x, FixedMultiplier factor) {
    return shift_ties_up(scale_up(x, factor), std::max(-factor.exponent, 0));
}

}  // namespace skiff::kernels
