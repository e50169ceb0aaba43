#include "tools/digits/net.h"

#include <algorithm>

namespace skiff::digits {
namespace {

// He: deviation sqrt(2 / fan_in) keeps the size of activations through RELU layers.
std::vector<float> random_weights(int n, int fan_in, Random& random) {
    std::vector<float> weights(static_cast<std::size_t>(n));
    const double deviation = std::sqrt(2.0 / fan_in);
    for (float& w : weights) w = static_cast<float>(random.normal() * deviation);
    return weights;
}

// Index of the first input row or column under output `o`; the format's SAME padding puts the odd
// pixel at the end.
int window_start(int o, int in, int out, const Layer& layer) {
    const int padding = std::max((out - 1) * layer.stride + layer.kernel - in, 0);
    return o * layer.stride - padding / 2;
}

// Calls body(output pixel, input pixel, tap) for every tap that lies inside the picture; pixels
// count without channels.
template <typename Body>
void for_each_tap(const Layer& layer, Body body) {
    for (int oy = 0; oy < layer.out.height; ++oy)
        for (int ox = 0; ox < layer.out.width; ++ox) {
            const int y0 = window_start(oy, layer.in.height, layer.out.height, layer);
            const int x0 = window_start(ox, layer.in.width, layer.out.width, layer);
            for (int ky = 0; ky < layer.kernel; ++ky)
                for (int kx = 0; kx < layer.kernel; ++kx) {
                    const int y = y0 + ky, x = x0 + kx;
                    if (y < 0 || x < 0 || y >= layer.in.height || x >= layer.in.width) continue;
                    body(oy * layer.out.width + ox, y * layer.in.width + x, ky * layer.kernel + kx);
                }
        }
}

// out += in * matrix, [in_n][out_n].
void multiply_add(const float* in, int in_n, const float* matrix, int out_n, float* out) {
    for (int i = 0; i < in_n; ++i) {
        const float v = in[i];
        if (v == 0) continue;
        const float* row = matrix + i * out_n;
        for (int o = 0; o < out_n; ++o) out[o] += v * row[o];
    }
}

// The two gradients of multiply_add; `in_error` may be null.
void multiply_add_back(const float* in, int in_n, const float* matrix, int out_n,
                       const float* out_error, float* in_error, float* matrix_gradient) {
    for (int i = 0; i < in_n; ++i) {
        const float v = in[i];
        float* gradient = matrix_gradient + i * out_n;
        if (v != 0)
            for (int o = 0; o < out_n; ++o) gradient[o] += v * out_error[o];
        if (!in_error) continue;
        const float* row = matrix + i * out_n;
        float sum = 0;
        for (int o = 0; o < out_n; ++o) sum += row[o] * out_error[o];
        in_error[i] += sum;
    }
}

void forward_weighted(const Layer& layer, const float* in, float* out) {
    const int in_c = layer.in.channels, out_c = layer.out.channels;
    const int pixels = layer.out.height * layer.out.width;
    for (int p = 0; p < pixels; ++p)
        std::copy(layer.bias.begin(), layer.bias.end(), out + p * out_c);
    const float* weights = layer.weights.data();
    if (layer.kind == LayerKind::dense) {
        multiply_add(in, layer.in.count(), weights, out_c, out);
    } else if (layer.kind == LayerKind::conv) {
        for_each_tap(layer, [&](int o, int i, int tap) {
            multiply_add(in + i * in_c, in_c, weights + tap * in_c * out_c, out_c, out + o * out_c);
        });
    } else {
        for_each_tap(layer, [&](int o, int i, int tap) {
            for (int c = 0; c < out_c; ++c)
                out[o * out_c + c] += in[i * in_c + c] * weights[tap * out_c + c];
        });
    }
    if (layer.relu)
        for (int i = 0; i < layer.out.count(); ++i) out[i] = std::max(out[i], 0.0f);
}

void forward_pool(const Layer& layer, const float* in, float* out) {
    const int channels = layer.out.channels;
    const bool is_max = layer.kind == LayerKind::max_pool;
    std::fill(out, out + layer.out.count(), is_max ? -1e30f : 0.0f);
    const float share = 1.0f / static_cast<float>(layer.kernel * layer.kernel);
    for_each_tap(layer, [&](int o, int i, int) {
        for (int c = 0; c < channels; ++c) {
            const float v = in[i * channels + c];
            float& target = out[o * channels + c];
            target = is_max ? std::max(target, v) : target + v * share;
        }
    });
}

void backward_weighted(const Layer& layer, const float* in, const float* out_error, float* in_error,
                       LayerGradient& gradient) {
    const int in_c = layer.in.channels, out_c = layer.out.channels;
    const int pixels = layer.out.height * layer.out.width;
    for (int p = 0; p < pixels; ++p)
        for (int c = 0; c < out_c; ++c)
            gradient.bias[static_cast<std::size_t>(c)] += out_error[p * out_c + c];
    const float* weights = layer.weights.data();
    float* slope = gradient.weights.data();
    if (layer.kind == LayerKind::dense) {
        multiply_add_back(in, layer.in.count(), weights, out_c, out_error, in_error, slope);
    } else if (layer.kind == LayerKind::conv) {
        for_each_tap(layer, [&](int o, int i, int tap) {
            multiply_add_back(in + i * in_c, in_c, weights + tap * in_c * out_c, out_c,
                              out_error + o * out_c, in_error ? in_error + i * in_c : nullptr,
                              slope + tap * in_c * out_c);
        });
    } else {
        for_each_tap(layer, [&](int o, int i, int tap) {
            for (int c = 0; c < out_c; ++c) {
                const float e = out_error[o * out_c + c];
                slope[tap * out_c + c] += in[i * in_c + c] * e;
                if (in_error) in_error[i * in_c + c] += weights[tap * out_c + c] * e;
            }
        });
    }
}

void backward_pool(const Layer& layer, const float* in, const float* out, const float* out_error,
                   float* in_error) {
    const int channels = layer.out.channels;
    const bool is_max = layer.kind == LayerKind::max_pool;
    const float share = is_max ? 1.0f : 1.0f / static_cast<float>(layer.kernel * layer.kernel);
    for_each_tap(layer, [&](int o, int i, int) {
        for (int c = 0; c < channels; ++c)
            if (!is_max || in[i * channels + c] == out[o * channels + c])
                in_error[i * channels + c] += out_error[o * channels + c] * share;
    });
}

}  // namespace

void Net::pool(LayerKind kind, int kernel) {
    const Size in = tail();
    layers_.push_back(
        {kind, in, {in.height / kernel, in.width / kernel, in.channels}, kernel, kernel});
}

void Net::conv(int kernel, int stride, int channels, Random& random) {
    const Size in = tail();
    const Size out = {(in.height + stride - 1) / stride, (in.width + stride - 1) / stride,
                      channels};
    const int fan_in = kernel * kernel * in.channels;
    layers_.push_back({LayerKind::conv, in, out, kernel, stride, true,
                       random_weights(fan_in * channels, fan_in, random),
                       std::vector<float>(static_cast<std::size_t>(channels))});
}

void Net::depthwise(int kernel, Random& random) {
    const Size in = tail();
    const int fan_in = kernel * kernel;
    layers_.push_back({LayerKind::depthwise, in, in, kernel, 1, true,
                       random_weights(fan_in * in.channels, fan_in, random),
                       std::vector<float>(static_cast<std::size_t>(in.channels))});
}

void Net::dense(int outputs, bool relu, Random& random) {
    const Size in = tail();
    layers_.push_back({LayerKind::dense,
                       in,
                       {1, 1, outputs},
                       1,
                       1,
                       relu,
                       random_weights(in.count() * outputs, in.count(), random),
                       std::vector<float>(static_cast<std::size_t>(outputs))});
}

Workspace::Workspace(const Net& net) {
    activations.emplace_back(static_cast<std::size_t>(net.input().count()));
    for (const Layer& layer : net.layers()) {
        activations.emplace_back(static_cast<std::size_t>(layer.out.count()));
        gradients.push_back(
            {std::vector<float>(layer.weights.size()), std::vector<float>(layer.bias.size())});
    }
    errors = activations;
}

void forward(const Net& net, std::span<const float> input, Workspace& workspace) {
    Activations& a = workspace.activations;
    std::copy(input.begin(), input.end(), a[0].begin());
    for (std::size_t i = 0; i < net.layers().size(); ++i) {
        const Layer& layer = net.layers()[i];
        if (layer.weights.empty())
            forward_pool(layer, a[i].data(), a[i + 1].data());
        else
            forward_weighted(layer, a[i].data(), a[i + 1].data());
    }
}

void backward(const Net& net, int label, Workspace& workspace) {
    const Activations& a = workspace.activations;
    Activations& errors = workspace.errors;
    errors.back() = softmax(a.back());
    errors.back()[static_cast<std::size_t>(label)] -= 1;
    for (std::size_t i = net.layers().size(); i-- > 0;) {
        const Layer& layer = net.layers()[i];
        if (i == 0 && layer.weights.empty()) break;
        float* error = errors[i + 1].data();
        if (layer.relu)
            for (std::size_t k = 0; k < a[i + 1].size(); ++k)
                if (a[i + 1][k] <= 0) error[k] = 0;
        std::fill(errors[i].begin(), errors[i].end(), 0.0f);
        if (layer.weights.empty())
            backward_pool(layer, a[i].data(), a[i + 1].data(), error, errors[i].data());
        else
            backward_weighted(layer, a[i].data(), error, i == 0 ? nullptr : errors[i].data(),
                              workspace.gradients[i]);
    }
}

std::vector<float> softmax(std::span<const float> logits) {
    const float top = *std::max_element(logits.begin(), logits.end());
    std::vector<float> p;
    float sum = 0;
    for (const float v : logits) {
        p.push_back(static_cast<float>(portable_exp(v - top)));
        sum += p.back();
    }
    for (float& v : p) v /= sum;
    return p;
}

}  // namespace skiff::digits
