#include "tools/digits/train.h"

#include <algorithm>

namespace skiff::digits {
namespace {

constexpr int batch = 32;
constexpr double decay_1 = 0.9, decay_2 = 0.999;

// Adam (Kingma and Ba, 2015): step = rate * mean / sqrt(mean square), both corrected for their
// start at zero.
class Adam {
 public:
    explicit Adam(const Net& net) {
        for (const Layer& layer : net.layers())
            for (const std::size_t n : {layer.weights.size(), layer.bias.size()}) {
                mean_.emplace_back(n);
                square_.emplace_back(n);
            }
    }
    // Uses up the gradients: they are zero afterwards.
    void step(Net& net, std::vector<LayerGradient>& gradients, double rate) {
        power_1_ *= decay_1;
        power_2_ *= decay_2;
        const double scaled = rate * std::sqrt(1 - power_2_) / (1 - power_1_);
        for (std::size_t i = 0; i < gradients.size(); ++i) {
            Layer& layer = net.layers()[i];
            apply(2 * i, layer.weights, gradients[i].weights, static_cast<float>(scaled));
            apply(2 * i + 1, layer.bias, gradients[i].bias, static_cast<float>(scaled));
        }
    }

 private:
    void apply(std::size_t slot, std::vector<float>& values, std::vector<float>& gradient,
               float rate) {
        constexpr auto keep_1 = static_cast<float>(decay_1), keep_2 = static_cast<float>(decay_2);
        for (std::size_t k = 0; k < values.size(); ++k) {
            const float g = gradient[k] / batch;
            float& m = mean_[slot][k];
            float& v = square_[slot][k];
            m = keep_1 * m + (1 - keep_1) * g;
            v = keep_2 * v + (1 - keep_2) * g * g;
            values[k] -= rate * m / (std::sqrt(v) + 1e-8f);
            gradient[k] = 0;
        }
    }

    std::vector<std::vector<float>> mean_, square_;
    double power_1_ = 1, power_2_ = 1;
};

}  // namespace

Net small_net(Random& random) {
    Net net({side, side, 1});
    net.pool(LayerKind::average_pool, 2);
    net.dense(16, true, random);
    net.dense(10, false, random);
    return net;
}

Net better_net(Random& random) {
    Net net({side, side, 1});
    net.conv(3, 2, 16, random);
    net.depthwise(3, random);
    net.conv(1, 1, 32, random);
    net.pool(LayerKind::max_pool, 2);
    net.depthwise(3, random);
    net.conv(1, 1, 32, random);
    net.pool(LayerKind::max_pool, 2);
    net.dense(10, false, random);
    return net;
}

void to_input(const Picture& picture, std::span<float> input) {
    for (std::size_t i = 0; i < picture.size(); ++i)
        input[i] = (static_cast<float>(picture[i]) - pixel_mean) / pixel_deviation;
}

void train(Net& net, const Course& course, Random& random) {
    Adam adam(net);
    Workspace workspace(net);
    std::vector<float> input(static_cast<std::size_t>(net.input().count()));
    for (int done = 0; done < course.samples; done += batch) {
        for (int i = 0; i < batch; ++i) {
            const Sample sample = draw_any(random);
            to_input(sample.picture, input);
            forward(net, input, workspace);
            backward(net, sample.digit, workspace);
        }
        const double progress = static_cast<double>(done) / course.samples;
        adam.step(net, workspace.gradients,
                  course.rate * (0.5 + 0.5 * portable_cos(pi * progress)));
    }
}

}  // namespace skiff::digits
