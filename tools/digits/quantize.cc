#include "tools/digits/quantize.h"

#include <algorithm>
#include <cmath>

#include "tools/digits/train.h"

namespace skiff::digits {
namespace {

// Calls body(index of the output channel, value) for every weight.
template <typename Body>
void for_each_weight(const FormatWeights& weights, Body body) {
    std::size_t inner = 1;
    for (std::size_t d = static_cast<std::size_t>(weights.channel_axis) + 1;
         d < weights.shape.size(); ++d)
        inner *= static_cast<std::size_t>(weights.shape[d]);
    const auto channels =
        static_cast<std::size_t>(weights.shape[static_cast<std::size_t>(weights.channel_axis)]);
    for (std::size_t i = 0; i < weights.values.size(); ++i)
        body(i / inner % channels, weights.values[i]);
}

ActivationRange range_of(float low, float high) {
    low = std::min(low, 0.0f);
    high = std::max(high, 0.0f);
    const float scale = (high - low) / 255;
    const auto zero_point = static_cast<int>(std::round(-128 - low / scale));
    return {scale, std::clamp(zero_point, -128, 127)};
}

}  // namespace

FormatWeights format_weights(const Layer& layer, int copies) {
    const int k = layer.kernel, out_c = layer.out.channels;
    if (layer.kind == LayerKind::depthwise) return {{1, k, k, out_c}, layer.weights, 3, true};
    const bool dense = layer.kind == LayerKind::dense;
    const int inputs = static_cast<int>(layer.weights.size()) / out_c;
    FormatWeights weights;
    if (dense)
        weights.shape = {out_c, inputs * copies};
    else
        weights.shape = {out_c, k, k, layer.in.channels * copies};
    weights.per_channel = !dense;
    for (int o = 0; o < out_c; ++o)
        for (int i = 0; i < inputs; ++i)
            weights.values.insert(weights.values.end(), static_cast<std::size_t>(copies),
                                  layer.weights[static_cast<std::size_t>(i * out_c + o)] /
                                      static_cast<float>(copies));
    return weights;
}

std::vector<ActivationRange> calibrate(const Net& net, int samples, std::uint64_t seed) {
    Random random(seed);
    Workspace workspace(net);
    const std::size_t n = workspace.activations.size();
    std::vector<float> low(n, 0), high(n, 0);
    std::vector<float> input(static_cast<std::size_t>(net.input().count()));
    for (int s = 0; s < samples; ++s) {
        to_input(draw_any(random).picture, input);
        forward(net, input, workspace);
        for (std::size_t i = 0; i < n; ++i)
            for (const float v : workspace.activations[i]) {
                low[i] = std::min(low[i], v);
                high[i] = std::max(high[i], v);
            }
    }
    std::vector<ActivationRange> ranges = {{1 / pixel_deviation, 0}};
    for (std::size_t i = 1; i < n; ++i)
        ranges.push_back(net.layers()[i - 1].weights.empty() ? ranges.back()
                                                             : range_of(low[i], high[i]));
    return ranges;
}

QuantizedWeights quantize(const FormatWeights& weights, const std::vector<float>& bias,
                          float input_scale) {
    std::vector<float> largest(bias.size(), 0);
    for_each_weight(weights, [&](std::size_t channel, float value) {
        largest[channel] = std::max(largest[channel], std::fabs(value));
    });
    if (!weights.per_channel)
        std::fill(largest.begin(), largest.end(),
                  *std::max_element(largest.begin(), largest.end()));
    std::vector<float> scales;
    for (const float v : largest) scales.push_back(std::max(v, 1e-6f) / 127);
    QuantizedWeights result;
    for_each_weight(weights, [&](std::size_t channel, float value) {
        result.values.push_back(static_cast<std::int8_t>(std::round(value / scales[channel])));
    });
    for (std::size_t o = 0; o < bias.size(); ++o)
        result.bias.push_back(
            static_cast<std::int32_t>(std::round(bias[o] / (input_scale * scales[o]))));
    if (!weights.per_channel) scales.resize(1);
    result.scales = std::move(scales);
    return result;
}

}  // namespace skiff::digits
