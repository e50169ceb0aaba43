#include "tools/digits/pictures.h"

#include <algorithm>

#include "tools/digits/train.h"

namespace skiff::digits {
namespace {

struct Answer {
    int digit;
    float probability;
};

Answer ask(const Net& net, const Picture& picture) {
    Workspace workspace(net);
    std::vector<float> input(static_cast<std::size_t>(net.input().count()));
    to_input(picture, input);
    forward(net, input, workspace);
    const std::vector<float> p = softmax(workspace.activations.back());
    const auto best = std::max_element(p.begin(), p.end());
    return {static_cast<int>(best - p.begin()), *best};
}

Sample find(const Net& small, const Net& better, int digit, bool is_hard, Random& random) {
    for (;;) {
        const Sample sample{draw(digit, random), digit};
        const Answer first = ask(small, sample.picture), second = ask(better, sample.picture);
        const bool small_fits = (first.digit != digit) == is_hard && first.probability > 0.7f;
        if (small_fits && second.digit == digit && second.probability > 0.95f) return sample;
    }
}

}  // namespace

std::vector<TestPicture> choose_test_pictures(const Net& small, const Net& better,
                                              const std::vector<int>& hard, std::uint64_t seed) {
    Random random(seed);
    std::vector<TestPicture> pictures;
    for (int digit = 0; digit < 10; ++digit)
        pictures.push_back({std::to_string(digit), find(small, better, digit, false, random)});
    for (const int digit : hard)
        pictures.push_back(
            {"hard_" + std::to_string(digit), find(small, better, digit, true, random)});
    return pictures;
}

}  // namespace skiff::digits
