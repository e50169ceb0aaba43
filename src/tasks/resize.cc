#include "tasks/resize.h"

#include <algorithm>
#include <cmath>

namespace skiff::tasks {
namespace {

// The two neighbours that an output row or column lies between, and the share of the second.
struct Sample {
    std::size_t first, second;
    double share;
};

std::vector<Sample> samples_of(int in, int out) {
    std::vector<Sample> samples;
    for (int i = 0; i < out; ++i) {
        const double position = std::clamp((i + 0.5) * in / out - 0.5, 0.0, in - 1.0);
        const auto first = static_cast<int>(position);
        samples.push_back({static_cast<std::size_t>(first),
                           static_cast<std::size_t>(std::min(first + 1, in - 1)),
                           position - first});
    }
    return samples;
}

}  // namespace

Pixels resize(const Pixels& pixels, int width, int height) {
    if (pixels.width == width && pixels.height == height) return pixels;
    const std::vector<Sample> columns = samples_of(pixels.width, width);
    const std::vector<Sample> rows = samples_of(pixels.height, height);
    Pixels out{width, height, {}};
    out.rgb.reserve(3 * columns.size() * rows.size());
    const std::size_t stride = 3 * static_cast<std::size_t>(pixels.width);
    for (const Sample& y : rows) {
        const std::uint8_t* top = &pixels.rgb[y.first * stride];
        const std::uint8_t* bottom = &pixels.rgb[y.second * stride];
        for (const Sample& x : columns)
            for (std::size_t c = 0; c < 3; ++c) {
                const std::size_t left = 3 * x.first + c, right = 3 * x.second + c;
                // The order of the products decides exact ties: rows first, summed from the top
                // left.
                const double value = top[left] * (1 - y.share) * (1 - x.share) +
                                     top[right] * (1 - y.share) * x.share +
                                     bottom[left] * y.share * (1 - x.share) +
                                     bottom[right] * y.share * x.share;
                out.rgb.push_back(static_cast<std::uint8_t>(value + 0.5));
            }
    }
    return out;
}

}  // namespace skiff::tasks
