// Random convolutions and their outputs by direct loops: what conv_2d_test and
// depthwise_conv_2d_test share.
#pragma once

#include <cstring>

#include "tests/kernels/kernel_tester.h"
#include "tests/kernels/reference.h"

namespace skiff::kernels::testing {

using reference::Axis;
using reference::Random;

struct ConvCase {
    int batches, height, width, channels, outputs;
    int filter_h, filter_w, stride_h, stride_w, dilation_h, dilation_w;
    int group_channels;  // CONV_2D: channels of the weights; DEPTHWISE_CONV_2D: unused
    Padding padding;
    Activation activation;
    DType dtype;
    bool depthwise;
    bool weights_constant = true, bias_constant = true;
    float input_scale = 1, output_scale = 1;
    std::vector<float> weight_scales;  // one, or one per output channel
    int weight_axis = 0;               // of a single scale; uint8 weights off 0 are not accelerated
    int input_zero_point = 0, weight_zero_point = 0, output_zero_point = 0;

    Axis y() const { return {height, filter_h, stride_h, dilation_h, padding}; }
    Axis x() const { return {width, filter_w, stride_w, dilation_w, padding}; }
    Shape input_shape() const { return {batches, height, width, channels}; }
    Shape weight_shape() const {
        return depthwise ? Shape{1, filter_h, filter_w, outputs}
                         : Shape{outputs, filter_h, filter_w, group_channels};
    }
    Shape output_shape() const { return {batches, y().outputs, x().outputs, outputs}; }
    float weight_scale(int c) const {
        return weight_scales[weight_scales.size() == 1 ? 0 : static_cast<std::size_t>(c)];
    }
    OwnedQuantization weight_quantization() const {
        if (weight_scales.size() == 1) return {weight_scales, {weight_zero_point}, weight_axis};
        return quantization(weight_scales, depthwise ? 3 : 0);
    }
    Params params() const {
        if (depthwise)
            return DepthwiseConv2dParams{padding,    stride_h,   stride_w,
                                         dilation_h, dilation_w, activation};
        return Conv2dParams{padding, stride_h, stride_w, dilation_h, dilation_w, activation};
    }
    Opcode opcode() const { return depthwise ? Opcode::depthwise_conv_2d : Opcode::conv_2d; }
};

// Shapes, window, activation; quantization at random, with scales that are powers of two (ties)
// half of the time.
inline ConvCase random_conv(Random& random, DType dtype, bool depthwise) {
    ConvCase c{};
    c.dtype = dtype;
    c.depthwise = depthwise;
    c.batches = random.integer(1, 2);
    c.padding = random.chance(50) ? Padding::same : Padding::valid;
    c.filter_h = random.integer(1, 4), c.filter_w = random.integer(1, 4);
    if (random.chance(25)) c.filter_h = c.filter_w = 1;
    c.stride_h = random.integer(1, 3), c.stride_w = random.integer(1, 2);
    if (random.chance(40)) c.stride_h = c.stride_w = 1;
    const bool dilated = random.chance(30);
    c.dilation_h = dilated ? random.integer(1, 3) : 1,
    c.dilation_w = dilated ? random.integer(1, 3) : 1;
    const bool fits = c.padding == Padding::valid;
    c.height = random.integer(fits ? (c.filter_h - 1) * c.dilation_h + 1 : 1, 12);
    c.width = random.integer(fits ? (c.filter_w - 1) * c.dilation_w + 1 : 1, 12);
    c.activation = static_cast<Activation>(random.integer(0, 3));
    if (depthwise) {
        c.channels = random.chance(20) ? random.integer(60, 70) : random.integer(1, 20);
        c.outputs = c.channels * (random.chance(40) ? random.integer(2, 5) : 1);
    } else {
        const int groups = random.chance(30) ? random.integer(2, 4) : 1;
        c.group_channels = random.integer(1, 20);
        c.channels = groups * c.group_channels;
        c.outputs = groups * random.integer(1, 19);
    }
    const bool ties = random.chance(50);
    const auto scale = [&](float typical) {
        return ties ? std::exp2(std::round(std::log2(typical)) +
                                static_cast<float>(random.integer(-1, 1)))
                    : typical * random.real(0.5f, 2);
    };
    const bool is_int8 = dtype == DType::int8, per_channel = is_int8 && random.chance(50);
    const int taps = c.filter_h * c.filter_w * (depthwise ? 1 : c.group_channels);
    c.input_scale = scale(0.05f);
    c.weight_scales.resize(per_channel ? static_cast<std::size_t>(c.outputs) : 1);
    for (float& s : c.weight_scales) s = scale(0.02f);
    c.output_scale = scale(0.05f * 0.02f * 74 * 74 * std::sqrt(static_cast<float>(taps)) / 60);
    const int lo = reference::lowest(dtype), hi = reference::highest(dtype);
    c.input_zero_point = random.zero_point(lo, hi);
    c.output_zero_point = random.zero_point(lo, hi);
    c.weight_zero_point = is_int8 ? 0 : random.zero_point(lo, hi);
    c.weight_axis = random.chance(20) ? random.integer(1, 3) : 0;
    return c;
}

// Sum over the taps of one output: each(input value, weight), multiplied and added as Sum. `x0` and
// `w0` are taken off.
template <typename Sum, typename In, typename Weight>
Sum direct_sum(const ConvCase& c, const std::vector<In>& input, const std::vector<Weight>& weights,
               Sum x0, Sum w0, int b, int oy, int ox, int o) {
    Sum sum = 0;
    const int per_group =
        c.depthwise ? c.outputs / c.channels : c.outputs / (c.channels / c.group_channels);
    const int count = c.depthwise ? 1 : c.group_channels;
    const int first = o / per_group * count;
    for (int ky = 0; ky < c.filter_h; ++ky)
        for (int kx = 0; kx < c.filter_w; ++kx) {
            const int iy = oy * c.stride_h - c.y().pad + ky * c.dilation_h;
            const int ix = ox * c.stride_w - c.x().pad + kx * c.dilation_w;
            if (iy < 0 || iy >= c.height || ix < 0 || ix >= c.width) continue;
            for (int k = 0; k < count; ++k) {
                const int at = ((b * c.height + iy) * c.width + ix) * c.channels + first + k;
                const int w = c.depthwise ? (ky * c.filter_w + kx) * c.outputs + o
                                          : ((o * c.filter_h + ky) * c.filter_w + kx) * count + k;
                sum += (static_cast<Sum>(input[static_cast<std::size_t>(at)]) - x0) *
                       (static_cast<Sum>(weights[static_cast<std::size_t>(w)]) - w0);
            }
        }
    return sum;
}

// All outputs in order: each(batch, y, x, channel).
template <typename Out, typename Each>
std::vector<Out> all_outputs(const ConvCase& c, const Each& each) {
    std::vector<Out> values;
    for (int b = 0; b < c.batches; ++b)
        for (int oy = 0; oy < c.y().outputs; ++oy)
            for (int ox = 0; ox < c.x().outputs; ++ox)
                for (int o = 0; o < c.outputs; ++o)
                    values.push_back(static_cast<Out>(each(b, oy, ox, o)));
    return values;
}

inline std::string describe(const ConvCase& c) {
    const Shape window{c.stride_h, c.stride_w, c.dilation_h, c.dilation_w};
    return c.input_shape().to_string() + " by " + c.weight_shape().to_string() +
           ", strides and dilations " + window.to_string() +
           (c.padding == Padding::same ? " SAME" : " VALID") + ", activation " +
           std::to_string(static_cast<int>(c.activation));
}

// Runs an int8 or uint8 case on random values and compares every output with direct loops.
template <typename T>
void check_stored(Random& random, const ConvCase& c, ThreadPool* pool) {
    SCOPED_TRACE(describe(c));
    const int lo = reference::lowest(c.dtype), hi = reference::highest(c.dtype);
    const auto input = random.stored<T>(c.input_shape().elements(), lo, hi);
    const auto weights = random.stored<T>(c.weight_shape().elements(), lo, hi);
    const auto bias = random.stored<std::int32_t>(c.outputs, -3000, 3000);
    KernelTester t(c.opcode(), c.params());
    t.input(c.input_shape(), input, quantization(c.input_scale, c.input_zero_point));
    if (c.weights_constant)
        t.constant(c.weight_shape(), weights, c.weight_quantization());
    else
        t.input(c.weight_shape(), weights, c.weight_quantization());
    if (c.bias_constant)
        t.constant(Shape{c.outputs}, bias);
    else
        t.input(Shape{c.outputs}, bias);
    t.output(c.dtype, quantization(c.output_scale, c.output_zero_point));
    ASSERT_TRUE(t.run(pool));
    ASSERT_EQ(t.shape(), c.output_shape());
    const bool accelerated =
        c.weights_constant && c.bias_constant && (c.dtype == DType::int8 || c.weight_axis == 0);
    const reference::Output out{c.dtype, c.output_scale, c.output_zero_point, c.activation};
    const auto expected = all_outputs<T>(c, [&](int b, int y, int x, int o) {
        const auto sum = bias[static_cast<std::size_t>(o)] +
                         direct_sum<std::int64_t>(c, input, weights, c.input_zero_point,
                                                  c.weight_zero_point, b, y, x, o);
        if (accelerated) return reference::accelerated(sum, c.input_scale, c.weight_scale(o), out);
        const bool groups = !c.depthwise && c.group_channels != c.channels;
        const bool eights = c.depthwise && c.dtype == DType::int8 && o < c.outputs / 8 * 8;
        const bool ties_up = c.depthwise ? eights : !groups;
        return reference::builtin(sum, c.input_scale, c.weight_scale(o), ties_up, out,
                                  c.dtype == DType::uint8);
    });
    ASSERT_EQ(t.values<T>(), expected);
}

// The same in float.
inline void check_float(Random& random, const ConvCase& c, bool weights_constant,
                        ThreadPool* pool) {
    SCOPED_TRACE(describe(c));
    const auto input = random.reals(c.input_shape().elements(), -2, 3);
    const auto weights = random.reals(c.weight_shape().elements(), -1, 1);
    const auto bias = random.reals(c.outputs, -1, 1);
    const bool has_bias = random.chance(80);
    KernelTester t(c.opcode(), c.params());
    t.input(c.input_shape(), input);
    if (weights_constant)
        t.constant(c.weight_shape(), weights);
    else
        t.input(c.weight_shape(), weights);
    if (has_bias)
        t.constant(Shape{c.outputs}, bias);
    else if (random.chance(50))
        t.no_input();
    t.output(DType::float32);
    ASSERT_TRUE(t.run(pool));
    ASSERT_EQ(t.shape(), c.output_shape());
    const auto expected = all_outputs<double>(c, [&](int b, int y, int x, int o) {
        const double sum = direct_sum<double>(c, input, weights, 0, 0, b, y, x, o) +
                           (has_bias ? bias[static_cast<std::size_t>(o)] : 0);
        return std::clamp(sum, reference::activation_lo(c.activation),
                          reference::activation_hi(c.activation));
    });
    const auto values = t.values<float>();
    ASSERT_EQ(values.size(), expected.size());
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(values[i], expected[i], 3e-5) << i;
}

}  // namespace skiff::kernels::testing
