// Dynamic range convolutions (float input, int8 weights) by direct loops and the rules of
// docs/exact.md.
#pragma once

#include "tests/kernels/conv_case.h"

namespace skiff::kernels::testing {

struct QuantizedValues {
    std::vector<int> offsets;  // stored less zero point
    float scale = 0;
};

// The accelerated path's quantization of one group.
inline QuantizedValues quantize_accelerated(const float* x, std::int64_t n) {
    float lo = 0, hi = 0;
    for (std::int64_t i = 0; i < n; ++i) lo = std::fmin(lo, x[i]), hi = std::fmax(hi, x[i]);
    volatile float range = hi - lo;
    volatile float k = lo == hi ? 1.f : 255.f / range;
    volatile float a = lo * k, b = hi * k;
    volatile float left = -128.f + a, right = 127.f + b;
    volatile float both = left + right;
    volatile float z = both > 0 ? -128.f - a : 127.f - b;
    const int zero = static_cast<int>(std::nearbyint(std::fmin(std::fmax(z, -128.f), 127.f)));
    QuantizedValues out;
    volatile float inverse = 1.f / k;
    out.scale = inverse;
    for (std::int64_t i = 0; i < n; ++i) {
        volatile float scaled = x[i] * k;
        const int stored = std::clamp(static_cast<int>(std::nearbyint(scaled)) + zero, -128, 127);
        out.offsets.push_back(stored - zero);
    }
    return out;
}

// The built-in DEPTHWISE_CONV_2D's quantization of one image.
inline QuantizedValues quantize_builtin(const float* x, std::int64_t n) {
    double lo = 0, hi = 0;
    for (std::int64_t i = 0; i < n; ++i)
        lo = std::min<double>(lo, x[i]), hi = std::max<double>(hi, x[i]);
    QuantizedValues out;
    if (lo == hi) return {std::vector<int>(static_cast<std::size_t>(n), 0), 1};
    volatile float range = static_cast<float>(hi) - static_cast<float>(lo);
    const double s = static_cast<double>(range) / 255;
    double z = 128 + std::fabs(lo / s) < 127 + std::fabs(hi / s) ? -128 - lo / s : 127 - hi / s;
    z = std::round(std::clamp(z, -128.0, 127.0));
    out.scale = static_cast<float>(s);
    volatile float inverse = 1.f / out.scale;
    for (std::int64_t i = 0; i < n; ++i) {
        volatile float scaled = x[i] * inverse;
        volatile float shifted = scaled < 0 ? scaled - 0.5f : scaled + 0.5f;
        const double rounded = i < n / 8 * 8 ? std::trunc(static_cast<double>(shifted))
                                             : std::round(static_cast<double>(scaled));
        out.offsets.push_back(static_cast<int>(std::clamp(rounded + z, -128.0, 127.0) - z));
    }
    return out;
}

// Runs the case with float input and compares. `pixels`: a group is a pixel, not an image.
inline void check_hybrid(Random& random, const ConvCase& c, bool pixels, ThreadPool* pool) {
    SCOPED_TRACE(describe(c));
    auto input = random.reals(c.input_shape().elements(), random.chance(25) ? 0.f : -2.f, 3);
    const std::int64_t image = c.input_shape().elements() / c.batches;
    for (std::int64_t i = image; i < c.input_shape().elements(); ++i)
        input[static_cast<std::size_t>(i)] *= 0.3f;  // images have scales of their own
    const auto weights = random.stored<std::int8_t>(c.weight_shape().elements(), -127, 127);
    const auto bias = random.reals(c.outputs, -1, 1);
    KernelTester t(c.opcode(), c.params());
    t.input(c.input_shape(), input);
    t.constant(c.weight_shape(), weights, c.weight_quantization());
    t.constant(Shape{c.outputs}, bias);
    t.output(DType::float32);
    ASSERT_TRUE(t.run(pool));
    ASSERT_EQ(t.shape(), c.output_shape());
    const std::int64_t group = pixels ? c.channels : image;
    std::vector<int> offsets;
    std::vector<float> scales;
    for (std::int64_t i = 0; i < c.input_shape().elements(); i += group) {
        const auto q = c.depthwise ? quantize_builtin(input.data() + i, group)
                                   : quantize_accelerated(input.data() + i, group);
        offsets.insert(offsets.end(), q.offsets.begin(), q.offsets.end());
        scales.push_back(q.scale);
    }
    const auto expected = all_outputs<float>(c, [&](int b, int y, int x, int o) {
        const auto sum = direct_sum<std::int64_t>(c, offsets, weights, 0, 0, b, y, x, o);
        const float s =
            scales[static_cast<std::size_t>(pixels ? (b * c.height + y) * c.width + x : b)];
        const float w = c.weight_scale(o);
        const float product =
            c.depthwise ? static_cast<float>(sum) * (s * w) : static_cast<float>(sum) * s * w;
        const auto lo = static_cast<float>(reference::activation_lo(c.activation));
        const auto hi = static_cast<float>(reference::activation_hi(c.activation));
        return std::clamp(product + bias[static_cast<std::size_t>(o)], lo, hi);
    });
    ASSERT_EQ(t.values<float>(), expected);
}

}  // namespace skiff::kernels::testing
