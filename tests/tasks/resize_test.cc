#include "tasks/resize.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/tasks/pictures.h"

namespace skiff::tasks {
namespace {

// The definition, one value at a time.
double naive(const Pixels& p, int width, int height, int x, int y, int c) {
    const auto position = [](int i, int in, int out) {
        return std::min(std::max((i + 0.5) * in / out - 0.5, 0.0), in - 1.0);
    };
    const double px = position(x, p.width, width), py = position(y, p.height, height);
    double sum = 0;
    for (int v = 0; v < p.height; ++v)
        for (int u = 0; u < p.width; ++u) {
            const double weight =
                std::max(0.0, 1 - std::abs(px - u)) * std::max(0.0, 1 - std::abs(py - v));
            sum += weight * p.rgb[static_cast<std::size_t>(3 * (v * p.width + u) + c)];
        }
    return sum;
}

TEST(Resize, AgreesWithTheDefinition) {
    for (const auto& [in_w, in_h] : {std::pair{1, 1}, {2, 3}, {13, 7}, {16, 16}, {5, 31}})
        for (const auto& [out_w, out_h] : {std::pair{1, 1}, {4, 4}, {13, 7}, {28, 9}, {3, 40}}) {
            const Pixels p = gradient(in_w, in_h);
            const Pixels r = resize(p, out_w, out_h);
            ASSERT_EQ(r.rgb.size(), static_cast<std::size_t>(3 * out_w * out_h));
            for (int y = 0; y < out_h; ++y)
                for (int x = 0; x < out_w; ++x)
                    for (int c = 0; c < 3; ++c)
                        EXPECT_NEAR(r.rgb[static_cast<std::size_t>(3 * (y * out_w + x) + c)],
                                    naive(p, out_w, out_h, x, y, c), 0.5 + 1e-9);
        }
}

TEST(Resize, SameSizeIsTheSameImage) {
    const Pixels p = gradient(9, 4);
    EXPECT_EQ(largest_difference(resize(p, 9, 4), p), 0);
}

TEST(Resize, TiesGoUp) {
    const Pixels p{2, 1, {0, 10, 0, 1, 11, 5}};
    EXPECT_EQ(resize(p, 1, 1).rgb, (File{1, 11, 3}));
}

TEST(Resize, HalvesOfAnEdge) {  // positions 0, 0.25, 0.75, 1 of a step from 0 to 200
    const Pixels p{2, 1, {0, 0, 0, 200, 200, 200}};
    const Pixels r = resize(p, 4, 1);
    EXPECT_EQ(r.rgb, (File{0, 0, 0, 50, 50, 50, 150, 150, 150, 200, 200, 200}));
}

}  // namespace
}  // namespace skiff::tasks
