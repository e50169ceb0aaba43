// From floats to int8, as the format wants it: weights symmetric, one scale per output channel
// where the operators of old runtimes take that too (convolutions), activations affine over the
// range seen on calibration pictures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/digits/net.h"

namespace skiff::digits {

// Weights in the order of the .tflite format: conv [out][y][x][in], depthwise [1][y][x][channel],
// dense [out][in].
struct FormatWeights {
    std::vector<std::int32_t> shape;
    std::vector<float> values;
    int channel_axis = 0;      // dimension of the output channels
    bool per_channel = false;  // one scale per output channel, else one for all
};

// `copies` > 1: the input has each channel that many times, each with its share of the weight. The
// nets see one gray channel, their files take RGB.
FormatWeights format_weights(const Layer& layer, int copies);

struct ActivationRange {
    float scale = 0;
    int zero_point = 0;
};
// Scale and zero point of every activation (Activations' order) over `samples` pictures drawn from
// `seed`; pools keep their input's, as the format demands. The input's are 1/128 and 0: exactly
// pixel - 128.
std::vector<ActivationRange> calibrate(const Net& net, int samples, std::uint64_t seed);

struct QuantizedWeights {
    std::vector<std::int8_t> values;
    std::vector<float> scales;       // one, or one per output channel
    std::vector<std::int32_t> bias;  // in units of input scale x weight scale
};
QuantizedWeights quantize(const FormatWeights& weights, const std::vector<float>& bias,
                          float input_scale);

}  // namespace skiff::digits
