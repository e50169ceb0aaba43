#pragma once

#include "tools/digits/draw.h"
#include "tools/digits/net.h"

namespace skiff::digits {

// The two quality levels, untrained. Both take one gray channel in 0..1.
Net small_net(Random& random);   // level 1: two dense layers on a picture of 14 x 14
Net better_net(Random& random);  // level 2: a small convolutional net

struct Course {
    int samples;         // drawn one after the other, none twice
    double rate = 2e-3;  // Adam's, falling to nothing on a half cosine
};
void train(Net& net, const Course& course, Random& random);

// A picture as the nets take it: -1 to 1, so that dark on bright is the mirror image of bright on
// dark. 128 and not 127.5: then int8 quantization is exact (scale 1/128, zero point 0).
inline constexpr float pixel_mean = 128, pixel_deviation = 128;
void to_input(const Picture& picture, std::span<float> input);

}  // namespace skiff::digits
