// A small feed-forward net with hand-written gradients, for pictures.
//
// Activations are height x width x channels, channels innermost. Weights are stored with the output
// channel innermost
// ([kernel y][kernel x][input channel][output channel]; depthwise [kernel y][kernel x][channel]),
// so that the loops run along memory; write_model.cc turns them round for the .tflite format.
#pragma once

#include <span>
#include <vector>

#include "tools/digits/random.h"

namespace skiff::digits {

struct Size {
    int height = 0, width = 0, channels = 0;
    int count() const { return height * width * channels; }
};

enum class LayerKind {
    average_pool,  // kernel = stride, no padding
    max_pool,      // same
    conv,          // padding SAME
    depthwise,     // padding SAME, stride 1
    dense,         // flattens its input
};

struct Layer {
    LayerKind kind;
    Size in, out;
    int kernel = 1, stride = 1;
    bool relu = false;
    std::vector<float> weights = {}, bias = {};  // empty for pools
};

// Gradients and inputs of one layer's parameters.
struct LayerGradient {
    std::vector<float> weights, bias;
};

class Net {
 public:
    explicit Net(Size input) : input_(input) {}

    // Adds a layer after the last; weights start random (He), bias 0.
    void pool(LayerKind kind, int kernel);
    void conv(int kernel, int stride, int channels, Random& random);
    void depthwise(int kernel, Random& random);
    void dense(int outputs, bool relu, Random& random);

    const std::vector<Layer>& layers() const { return layers_; }
    std::vector<Layer>& layers() { return layers_; }
    Size input() const { return input_; }

 private:
    Size tail() const { return layers_.empty() ? input_ : layers_.back().out; }

    Size input_;
    std::vector<Layer> layers_;
};

// All activations of one picture: [0] is the input, [i + 1] the output of layer i (after its RELU).
// The last is logits.
using Activations = std::vector<std::vector<float>>;

// Memory for one thread's passes, made once.
struct Workspace {
    explicit Workspace(const Net& net);
    Activations activations, errors;  // errors: derivative of the loss by each activation
    std::vector<LayerGradient> gradients;
};

// Fills workspace.activations from `input` (net.input().count() values).
void forward(const Net& net, std::span<const float> input, Workspace& workspace);
// After forward(): adds the gradient of softmax cross-entropy against `label` to
// workspace.gradients.
void backward(const Net& net, int label, Workspace& workspace);

// Probabilities of logits.
std::vector<float> softmax(std::span<const float> logits);

}  // namespace skiff::digits
