// What the tests of the element-wise operators compare with, beside reference.h: the built-in
// scaling of docs/exact.md (GL, UP) in 128 bits, and broadcasting by indices. Shares nothing with
// the kernels.
#pragma once

#include <functional>

#include "tests/kernels/kernel_tester.h"
#include "tests/kernels/reference.h"

namespace skiff::kernels::reference {

// GL (ties_up false) or UP of x by any factor, given as the double it is made from.
inline std::int64_t scale(std::int64_t x, double factor, bool ties_up = false) {
    int exponent = 0;
    const double fraction = std::frexp(factor, &exponent);
    auto mantissa = static_cast<std::int64_t>(std::round(fraction * 2147483648.0));
    if (mantissa == 2147483648LL) mantissa /= 2, ++exponent;
    if (exponent < -31) mantissa = 0, exponent = 0;
    const int left = std::max(exponent, 0), right = std::max(-exponent, 0);
    const Wide high =
        floor_divide(Wide{wrap(x << left)} * mantissa + (Wide{1} << 30), Wide{1} << 31);
    const Wide divisor = Wide{1} << right, half = divisor / 2;
    if (right == 0) return static_cast<std::int64_t>(high);
    if (ties_up || high >= 0) return static_cast<std::int64_t>(floor_divide(high + half, divisor));
    return static_cast<std::int64_t>(-floor_divide(-high + half, divisor));
}

inline int clip(double value, double lo, double hi) {
    return static_cast<int>(std::max(lo, std::min(hi, value)));
}

// A scale: every third a power of two, so that ties happen.
inline float random_scale(Random& random, float lo, float hi) {
    if (random.chance(33))
        return std::exp2(std::nearbyint(random.real(std::log2(lo), std::log2(hi))));
    return std::exp2(random.real(std::log2(lo), std::log2(hi)));
}

// All coordinates of `shape` in order.
inline void for_each_index(const Shape& shape, const std::function<void(const Shape&)>& body) {
    Shape at = shape;
    for (std::int64_t flat = 0; flat < shape.elements(); ++flat) {
        std::int64_t rest = flat;
        for (int i = shape.rank() - 1; i >= 0; --i) {
            at[i] = static_cast<std::int32_t>(rest % shape[i]);
            rest /= shape[i];
        }
        body(at);
    }
}

// Where the element of `shape` is that NumPy's broadcasting reads for coordinates `at` of the
// output.
inline std::size_t broadcast_offset(const Shape& shape, const Shape& at) {
    std::int64_t offset = 0;
    for (int i = 0; i < shape.rank(); ++i)
        offset = offset * shape[i] + (shape[i] == 1 ? 0 : at[i + at.rank() - shape.rank()]);
    return static_cast<std::size_t>(offset);
}

// All 256 stored values of int8 or uint8 in a random order.
template <typename T>
std::vector<T> all_stored(Random& random) {
    std::vector<T> values;
    for (int v = 0; v < 256; ++v) values.push_back(static_cast<T>(v));
    std::shuffle(values.begin(), values.end(), random.engine);
    return values;
}

}  // namespace skiff::kernels::reference
