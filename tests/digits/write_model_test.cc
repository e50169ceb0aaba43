// The files compute what the nets compute.
#include "tools/digits/write_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "runtime/engine.h"
#include "tools/digits/draw.h"
#include "tools/digits/train.h"

namespace skiff::digits {
namespace {

struct Running {
    std::vector<std::uint8_t> bytes;
    std::unique_ptr<runtime::Engine> engine;

    Running(const Net& net, const std::vector<ActivationRange>& ranges) {
        bytes = write_model(net, {"n", "d"}, ranges).value();
        engine =
            runtime::create_engine("skiff", model::Model::load_memory(bytes).value(), {}).value();
        EXPECT_TRUE(engine->prepare().ok());
    }
    std::vector<float> scores(const Picture& picture) {
        const bool is_float = engine->input_info(0).dtype == DType::float32;
        std::vector<float> input(picture.size());
        to_input(picture, input);
        for (std::size_t i = 0; i < 3 * picture.size(); ++i) {
            if (is_float)
                std::memcpy(engine->input(0).data() + 4 * i, &input[i / 3], 4);
            else
                engine->input(0)[i] = static_cast<std::uint8_t>(picture[i / 3] - 128);
        }
        EXPECT_TRUE(engine->invoke().ok());
        std::vector<float> out(10);
        for (std::size_t i = 0; i < 10; ++i) {
            if (is_float)
                std::memcpy(&out[i], engine->output(0).data() + 4 * i, 4);
            else
                out[i] =
                    (static_cast<float>(static_cast<std::int8_t>(engine->output(0)[i])) + 128) /
                    256;
        }
        return out;
    }
};

double largest_difference(const Net& net, const std::vector<ActivationRange>& ranges) {
    Running file(net, ranges);
    Workspace workspace(net);
    std::vector<float> input(static_cast<std::size_t>(net.input().count()));
    Random random(8);
    double largest = 0;
    for (int n = 0; n < 40; ++n) {
        const Picture picture = draw_any(random).picture;
        to_input(picture, input);
        forward(net, input, workspace);
        const std::vector<float> wanted = softmax(workspace.activations.back());
        const std::vector<float> got = file.scores(picture);
        for (std::size_t i = 0; i < 10; ++i)
            largest = std::max(largest, std::fabs(static_cast<double>(got[i]) - wanted[i]));
    }
    return largest;
}

// Random weights and biases: every one matters, none is at its place by luck.
TEST(WriteModel, FloatFilesGiveTheNetsScoresAndInt8FilesNearlySo) {
    Random random(21);
    for (Net net : {small_net(random), better_net(random)}) {
        for (Layer& layer : net.layers())
            for (float& b : layer.bias) b = static_cast<float>(random.uniform(-0.3, 0.3));
        EXPECT_LT(largest_difference(net, {}), 1e-5);
        EXPECT_LT(largest_difference(net, calibrate(net, 200, 9)), 0.06);
    }
}

TEST(WriteModel, TheSameBytesEveryTime) {
    Random random(4);
    const Net net = better_net(random);
    const auto ranges = calibrate(net, 20, 1);
    EXPECT_EQ(write_model(net, {"n", "d"}).value(), write_model(net, {"n", "d"}).value());
    EXPECT_EQ(write_model(net, {"n", "d"}, ranges).value(),
              write_model(net, {"n", "d"}, ranges).value());
}

}  // namespace
}  // namespace skiff::digits
