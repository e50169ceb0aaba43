// The rules of docs/exact.md written down a second time, plainly and without the kernels' code:
// what the tests of convolutions, FULLY_CONNECTED and pools compare with. Slow on purpose.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/kernel.h"

namespace skiff::kernels::reference {

struct Random {
    explicit Random(unsigned seed) : engine(seed) {}
    // In [lo, hi].
    int integer(int lo, int hi) {
        return lo + static_cast<int>(engine() % static_cast<unsigned>(hi - lo + 1));
    }
    bool chance(int percent) { return integer(1, 100) <= percent; }
    float real(float lo, float hi) {
        return lo + (hi - lo) * static_cast<float>(engine() % 16777216) / 16777216.f;
    }
    template <typename T>
    std::vector<T> stored(std::int64_t n, int lo, int hi) {
        std::vector<T> values(static_cast<std::size_t>(n));
        for (T& value : values) value = static_cast<T>(integer(lo, hi));
        return values;
    }
    std::vector<float> reals(std::int64_t n, float lo, float hi) {
        std::vector<float> values(static_cast<std::size_t>(n));
        for (float& value : values) value = real(lo, hi);
        return values;
    }
    // Half of the time an end of the range, where clamps and offsets go wrong.
    int zero_point(int lo, int hi) {
        const int pick = integer(0, 3);
        return pick == 0 ? lo : pick == 1 ? hi : integer(lo, hi);
    }
    std::mt19937 engine;
};

inline int lowest(DType type) {
    return type == DType::uint8 ? 0 : -128;
}
inline int highest(DType type) {
    return type == DType::uint8 ? 255 : 127;
}

inline double activation_lo(Activation a) {
    return a == Activation::none ? -INFINITY : a == Activation::relu_n1_to_1 ? -1.0 : 0.0;
}
inline double activation_hi(Activation a) {
    return a == Activation::relu6 ? 6.0 : a == Activation::relu_n1_to_1 ? 1.0 : INFINITY;
}

struct Output {  // of an integer operator
    DType dtype;
    float scale;
    int zero_point;
    Activation activation;
};

// round(bound / scale + zero point) in float32, ties to even, after clipping to the element type
// (XACT).
inline int bound_even(const Output& o, double bound) {
    volatile float quotient = static_cast<float>(bound) / o.scale;
    volatile float shifted = quotient + static_cast<float>(o.zero_point);
    if (shifted <= static_cast<float>(lowest(o.dtype))) return lowest(o.dtype);
    if (shifted >= static_cast<float>(highest(o.dtype))) return highest(o.dtype);
    return static_cast<int>(std::nearbyint(static_cast<double>(shifted)));
}
// zero point + round(bound / scale), ties away from zero (TACT).
inline int bound_away(const Output& o, double bound) {
    volatile float quotient = static_cast<float>(bound) / o.scale;
    const double shifted = o.zero_point + std::round(static_cast<double>(quotient));
    return static_cast<int>(
        std::max<double>(lowest(o.dtype), std::min<double>(highest(o.dtype), shifted)));
}

inline std::int32_t wrap(std::int64_t x) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(x));
}

// XREQ and XACT.
inline int accelerated(std::int64_t sum, float input_scale, float weight_scale, const Output& o) {
    volatile float product = input_scale * weight_scale;
    volatile float ratio = product / o.scale;
    volatile float x = static_cast<float>(wrap(sum)) * ratio;
    const int lo = bound_even(o, activation_lo(o.activation)),
              hi = bound_even(o, activation_hi(o.activation));
    const double clipped =
        std::max<double>(lo - o.zero_point, std::min<double>(hi - o.zero_point, x));
    return static_cast<int>(std::nearbyint(clipped)) + o.zero_point;
}

__extension__ typedef __int128 Wide;
inline Wide floor_divide(Wide x, Wide by) {
    return x >= 0 ? x / by : -((-x + by - 1) / by);
}

// UP (ties up) or GL (ties away from zero in the second rounding), with TACT. Where
// `product_in_float`, input scale * weight scale is rounded to float32.
inline int builtin(std::int64_t sum, float input_scale, float weight_scale, bool ties_up,
                   const Output& o, bool product_in_float = false) {
    volatile float rounded = input_scale * weight_scale;
    const double exact = static_cast<double>(input_scale) * static_cast<double>(weight_scale);
    const double factor =
        (product_in_float ? static_cast<double>(rounded) : exact) / static_cast<double>(o.scale);
    int exponent = 0;
    const double fraction = std::frexp(factor, &exponent);
    auto mantissa = static_cast<std::int64_t>(std::round(fraction * 2147483648.0));
    if (mantissa == 2147483648LL) mantissa /= 2, ++exponent;
    if (exponent < -31) mantissa = 0, exponent = 0;
    const int left = std::max(exponent, 0), right = std::max(-exponent, 0);
    const Wide shifted = wrap(static_cast<std::int64_t>(wrap(sum)) << left);
    const Wide high = floor_divide(shifted * mantissa + (Wide{1} << 30), Wide{1} << 31);
    const Wide divisor = Wide{1} << right, half = divisor / 2;
    Wide y = high;
    if (right > 0 && (ties_up || high >= 0)) y = floor_divide(high + half, divisor);
    if (right > 0 && !ties_up && high < 0) y = -floor_divide(-high + half, divisor);
    y += o.zero_point;
    const Wide lo = bound_away(o, activation_lo(o.activation)),
               hi = bound_away(o, activation_hi(o.activation));
    return static_cast<int>(std::max(lo, std::min(hi, y)));
}

// One axis of a window: number of outputs, and padding before the image, as TensorFlow defines SAME
// and VALID.
struct Axis {
    int outputs, pad;
    Axis(int input, int filter, int stride, int dilation, Padding padding) {
        const int extent = (filter - 1) * dilation + 1;
        outputs = padding == Padding::same ? (input + stride - 1) / stride
                                           : (input - extent) / stride + 1;
        const int total = (outputs - 1) * stride + extent - input;
        pad = padding == Padding::same && total > 0 ? total / 2 : 0;
    }
};

}  // namespace skiff::kernels::reference
