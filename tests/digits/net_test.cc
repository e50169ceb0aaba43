#include "tools/digits/net.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tools/digits/train.h"

namespace skiff::digits {
namespace {

double loss(const Net& net, const std::vector<float>& input, int label, Workspace& workspace) {
    forward(net, input, workspace);
    return -std::log(softmax(workspace.activations.back())[static_cast<std::size_t>(label)]);
}

// Every kind of layer, an odd size and a stride in it.
Net every_kind(Random& random) {
    Net net({9, 7, 2});
    net.conv(3, 2, 4, random);
    net.depthwise(3, random);
    net.conv(1, 1, 6, random);
    net.pool(LayerKind::max_pool, 2);
    net.pool(LayerKind::average_pool, 2);
    net.dense(5, true, random);
    net.dense(3, false, random);
    for (Layer& layer : net.layers())  // away from 0, where RELU has no slope to compare
        for (float& b : layer.bias) b = static_cast<float>(random.uniform(0.2, 0.5));
    return net;
}

TEST(Net, GradientsAreThoseOfSmallSteps) {
    Random random(5);
    Net net = every_kind(random);
    Workspace workspace(net), probe(net);
    std::vector<float> input(static_cast<std::size_t>(net.input().count()));
    for (float& v : input) v = static_cast<float>(random.uniform(-1, 1));
    forward(net, input, workspace);
    backward(net, 1, workspace);
    double largest = 0;
    for (std::size_t i = 0; i < net.layers().size(); ++i)
        for (int part = 0; part < 2; ++part) {
            auto& values = part ? net.layers()[i].bias : net.layers()[i].weights;
            const auto& gradient =
                part ? workspace.gradients[i].bias : workspace.gradients[i].weights;
            for (std::size_t k = 0; k < values.size(); ++k) {
                constexpr float step = 2e-3f;
                const float before = values[k];
                values[k] = before + step;
                const double up = loss(net, input, 1, probe);
                values[k] = before - step;
                const double down = loss(net, input, 1, probe);
                values[k] = before;
                EXPECT_NEAR(gradient[k], (up - down) / (2 * step), 2e-3)
                    << "layer " << i << " " << k;
                largest = std::max(largest, std::fabs(static_cast<double>(gradient[k])));
            }
        }
    EXPECT_GT(largest, 0.05);
}

TEST(Net, ElementaryFunctionsAreRight) {
    for (double x = -30; x < 30; x += 0.37) {
        EXPECT_NEAR(portable_exp(x) / std::exp(x), 1, 1e-12);
        EXPECT_NEAR(portable_sin(x), std::sin(x), 1e-8);
        EXPECT_NEAR(portable_cos(x), std::cos(x), 1e-8);
    }
}

TEST(Net, TheSameSeedGivesTheSamePicture) {
    Random a(77), b(77);
    for (int i = 0; i < 20; ++i) {
        const Sample first = draw_any(a), second = draw_any(b);
        EXPECT_EQ(first.digit, second.digit);
        EXPECT_EQ(first.picture, second.picture);
    }
}

TEST(Net, TrainingLearns) {
    Random random(3);
    Net net = small_net(random);
    train(net, {6000}, random);
    Workspace workspace(net);
    std::vector<float> input(static_cast<std::size_t>(net.input().count()));
    int right = 0;
    for (int i = 0; i < 300; ++i) {
        const Sample sample = draw_any(random);
        to_input(sample.picture, input);
        forward(net, input, workspace);
        const auto& logits = workspace.activations.back();
        right += std::max_element(logits.begin(), logits.end()) - logits.begin() == sample.digit;
    }
    EXPECT_GT(right, 90);  // guessing gives 30
}

}  // namespace
}  // namespace skiff::digits
