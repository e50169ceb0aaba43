// CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED: operators with weights.
#include <algorithm>
#include <cstring>

#include "tests/differential/draw.h"

namespace skiff::differential {
namespace {

using model::ops::Activation;

struct WeightShape {
    std::vector<std::int32_t> shape;
    int channel_axis;
    std::int64_t depth;  // products for each output
};

struct Weighted {
    std::int32_t weights, bias, output;
};

void set_bias_values(Draft& d, model::TensorSpec& bias, std::int64_t depth) {
    std::vector<std::int32_t> values(static_cast<std::size_t>(bias.shape[0]));
    // 0: beyond the 24 bits of a float. Where a sum times its ratio is below -2^31, the library
    // itself depends on the CPU.
    const int kind = d.random.integer(0, 19);
    const double usual = 2000.0 * static_cast<double>(depth);
    for (std::int32_t& value : values)
        value = kind == 0 ? d.random.integer(-(1 << 26), 1 << 26)
                          : static_cast<std::int32_t>(d.random.real(-usual, usual));
    bias.data.resize(values.size() * 4);
    std::memcpy(bias.data.data(), values.data(), bias.data.size());
}

// Weights in the type of the input, or int8 under a float input (dynamic range).
DType weight_type(Draft& d, DType input) {
    return input == DType::float32 && d.random.chance(35) ? DType::int8 : input;
}

// What is unusual about the weights.
std::string weights_text(const Draft& d, std::int32_t weights, std::int32_t input) {
    const DType dtype = d.tensor(weights).dtype;
    std::string text;
    if (dtype != d.tensor(input).dtype) text += " by " + std::string(dtype_name(dtype));
    if (std::ranges::find(d.net.inputs, weights) != d.net.inputs.end()) text += " variable";
    return text;
}

std::int32_t add_weights(Draft& d, DType input, const WeightShape& w, bool may_be_centreless) {
    const DType dtype = weight_type(d, input);
    const std::int32_t channels = w.shape[static_cast<std::size_t>(w.channel_axis)];
    const bool constant = d.random.chance(85) || (input == DType::float32 && dtype == DType::int8);
    Quantization q{static_cast<float>(d.random.real(0.001, 0.02)), 0};
    if (d.random.chance(20)) q.scale = static_cast<float>(std::exp2(d.random.integer(-10, -4)));
    if (dtype == DType::uint8) q.zero_point = d.zero_point(dtype);
    if (may_be_centreless && dtype == input && dtype == DType::int8 && d.random.chance(3))
        q.zero_point = d.zero_point(dtype);
    // Sums of about 1: what a fused activation cuts off is not large.
    const auto magnitude = static_cast<float>(1.5 / std::sqrt(static_cast<double>(w.depth)));
    const std::int32_t index =
        constant ? d.add_constant(dtype, w.shape, q, magnitude) : d.add_input(dtype, w.shape, q);
    if (!constant && dtype == DType::float32) d.net.magnitudes[index] = magnitude;
    model::TensorSpec& spec = d.net.tensors.back();
    // A float depthwise convolution reads beyond a single scale.
    const bool must = input == DType::float32 && w.channel_axis == 3;
    const bool per_channel =
        dtype == DType::int8 && q.zero_point == 0 && (must || d.random.chance(60));
    if (per_channel) {
        spec.axis = w.channel_axis;
        spec.scales.clear();
        spec.zero_points.assign(static_cast<std::size_t>(channels), 0);
        for (std::int32_t c = 0; c < channels; ++c)
            spec.scales.push_back(q.scale * static_cast<float>(std::exp2(d.random.real(-3, 1))));
    }
    return index;
}

// Float weights that the file keeps as float16 or int8, behind a DEQUANTIZE.
std::int32_t add_stored_weights(Draft& d, const WeightShape& w) {
    const DType dtype = d.random.chance(60) ? DType::float16 : DType::int8;
    const std::int32_t stored = d.add_constant(
        dtype, w.shape,
        {static_cast<float>(d.random.real(0.001, 0.02) / std::sqrt(static_cast<double>(w.depth))),
         0});
    const std::int32_t wide = d.add_tensor(DType::float32, w.shape, {});
    d.add_node(model::ops::dequantize(stored, wide), "DEQUANTIZE", stored);
    d.pool.pop_back();
    return wide;
}

std::int32_t add_bias(Draft& d, DType input, std::int32_t weights, std::int32_t channels,
                      std::int64_t depth, float input_scale) {
    const bool stored = is_stored(input);
    const std::int32_t bias =
        d.random.chance(96) ? d.add_tensor(stored ? DType::int32 : DType::float32, {channels}, {})
                            : d.add_input(stored ? DType::int32 : DType::float32, {channels}, {});
    model::TensorSpec& spec = d.net.tensors.back();
    const bool constant = d.net.inputs.empty() || d.net.inputs.back() != bias;
    if (!stored) {
        if (constant) spec.data = d.values(DType::float32, static_cast<std::size_t>(channels));
        return bias;
    }
    if (constant) set_bias_values(d, spec, depth);
    const model::TensorSpec& w = d.tensor(weights);
    for (const float scale : w.scales) spec.scales.push_back(input_scale * scale);
    spec.zero_points.assign(spec.scales.size(), 0);
    return bias;
}

// Weights, bias and an output whose scale suits them.
Weighted add_weighted(Draft& d, std::int32_t input, const WeightShape& w,
                      std::vector<std::int32_t> output_shape, bool fully_connected) {
    const DType dtype = d.tensor(input).dtype;
    const bool stored = is_stored(dtype);
    const float input_scale = stored ? d.tensor(input).scales[0] : 0;
    const std::int32_t channels = w.shape[static_cast<std::size_t>(w.channel_axis)];
    Weighted made{};
    made.weights = dtype == DType::float32 && d.random.chance(12)
                       ? add_stored_weights(d, w)
                       : add_weights(d, dtype, w, fully_connected);
    const bool needs_bias = stored && !fully_connected;
    made.bias = model::ops::none;
    if (d.random.chance(needs_bias || !fully_connected ? 99 : 80))
        made.bias = add_bias(d, dtype, made.weights, channels, w.depth, input_scale);
    Quantization q = d.quantization(dtype);
    if (stored) {
        const float weight_scale = d.tensor(made.weights).scales[0];
        q.scale =
            d.scale_near(static_cast<double>(input_scale) * static_cast<double>(weight_scale) *
                         std::sqrt(static_cast<double>(w.depth)) * 100);
    }
    made.output = d.add_tensor(dtype, std::move(output_shape), q);
    return made;
}

bool window(Draft& d, const std::vector<std::int32_t>& in, int filter_h, int filter_w,
            model::ops::Conv2D& o, std::int32_t* out_h, std::int32_t* out_w) {
    o.padding = d.random.chance(60) ? model::ops::Padding::same : model::ops::Padding::valid;
    o.stride_h = d.random.one_of({1, 1, 1, 2, 2, 3});
    o.stride_w = d.random.chance(75) ? o.stride_h : d.random.integer(1, 3);
    if (d.random.chance(20)) {
        o.dilation_h = d.random.integer(1, 3);
        o.dilation_w = d.random.chance(75) ? o.dilation_h : d.random.integer(1, 3);
    }
    o.activation = d.activation();
    const auto size = [&](int n, int filter, int stride, int dilation) {
        if (o.padding == model::ops::Padding::same) return (n + stride - 1) / stride;
        const int extent = (filter - 1) * dilation + 1;
        return extent > n ? 0 : (n - extent) / stride + 1;
    };
    *out_h = size(in[1], filter_h, o.stride_h, o.dilation_h);
    *out_w = size(in[2], filter_w, o.stride_w, o.dilation_w);
    return *out_h > 0 && *out_w > 0;
}

}  // namespace

bool draw_conv(Draft& d, std::int32_t input) {
    const auto in = d.shape(input);
    const DType dtype = d.tensor(input).dtype;
    if (in.size() != 4 ||
        (dtype != DType::float32 && dtype != DType::int8 && dtype != DType::uint8))
        return false;
    const int fh = d.random.one_of({1, 1, 2, 3, 3, 5}),
              fw = d.random.chance(75) ? fh : d.random.integer(1, 4);
    model::ops::Conv2D o;
    std::int32_t h, w;
    if (!window(d, in, fh, fw, o, &h, &w)) return false;
    std::int32_t groups = 1;
    if (d.random.chance(6))
        for (std::int32_t g = 2; g <= in[3]; ++g)
            if (in[3] % g == 0 && d.random.chance(50)) groups = g;
    const std::int32_t outputs = groups * d.random.one_of({1, 2, 3, 4, 7, 8, 9, 16, 17, 33});
    const std::int64_t depth = std::int64_t{fh} * fw * (in[3] / groups);
    const std::int64_t results = std::int64_t{in[0]} * h * w * outputs;
    if (results > most_elements || results * depth > most_macs || depth * outputs > 200'000)
        return false;
    const Weighted made = add_weighted(d, input, {{outputs, fh, fw, in[3] / groups}, 0, depth},
                                       {in[0], h, w, outputs}, false);
    model::OperatorSpec spec = model::ops::conv_2d(input, made.weights, made.bias, made.output, o);
    if (made.bias == model::ops::none) spec.inputs.pop_back();
    return d.add_node(std::move(spec),
                      std::string(groups > 1 ? "CONV_2D grouped" : "CONV_2D") +
                          weights_text(d, made.weights, input),
                      input);
}

bool draw_depthwise(Draft& d, std::int32_t input) {
    const auto in = d.shape(input);
    const DType dtype = d.tensor(input).dtype;
    if (in.size() != 4 ||
        (dtype != DType::float32 && dtype != DType::int8 && dtype != DType::uint8))
        return false;
    const int fh = d.random.one_of({1, 2, 3, 3, 5}),
              fw = d.random.chance(75) ? fh : d.random.integer(1, 4);
    model::ops::Conv2D o;
    std::int32_t h, w;
    if (!window(d, in, fh, fw, o, &h, &w)) return false;
    o.depth_multiplier = d.random.one_of({1, 1, 1, 2, 3, 8});
    const std::int32_t outputs = in[3] * o.depth_multiplier;
    if (std::int64_t{in[0]} * h * w * outputs > most_elements) return false;
    const Weighted made = add_weighted(d, input, {{1, fh, fw, outputs}, 3, std::int64_t{fh} * fw},
                                       {in[0], h, w, outputs}, false);
    model::OperatorSpec spec =
        model::ops::depthwise_conv_2d(input, made.weights, made.bias, made.output, o);
    if (made.bias == model::ops::none) spec.inputs.pop_back();
    return d.add_node(std::move(spec), "DEPTHWISE_CONV_2D" + weights_text(d, made.weights, input),
                      input);
}

bool draw_fully_connected(Draft& d, std::int32_t input) {
    const auto in = d.shape(input);
    const DType dtype = d.tensor(input).dtype;
    const std::int64_t n = elements(in);
    if (in.empty() || n == 0 ||
        (dtype != DType::float32 && dtype != DType::int8 && dtype != DType::uint8))
        return false;
    const bool keep = d.random.chance(in.size() > 2 ? 40 : 15);
    std::int64_t depth = in.back();
    if (!keep && d.random.chance(40))
        for (std::size_t i = in.size() - 1; i > 0 && d.random.chance(80); --i) depth *= in[i - 1];
    const std::int64_t rows = n / depth;
    const std::int32_t outputs = d.random.one_of({1, 2, 3, 5, 8, 10, 16, 31, 64, 100});
    if (depth > 100'000 || rows * outputs > most_elements || n * outputs > most_macs) return false;
    std::vector<std::int32_t> shape{static_cast<std::int32_t>(rows), outputs};
    if (keep) {
        shape = in;
        shape.back() = outputs;
    }
    const Weighted made = add_weighted(
        d, input, {{outputs, static_cast<std::int32_t>(depth)}, 0, depth}, shape, true);
    return d.add_node(model::ops::fully_connected(input, made.weights, made.bias, made.output,
                                                  d.activation(), keep),
                      "FULLY_CONNECTED" + weights_text(d, made.weights, input), input);
}

}  // namespace skiff::differential
