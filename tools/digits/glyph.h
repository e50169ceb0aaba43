// The ten digits as pen strokes.
#pragma once

#include <vector>

#include "tools/digits/random.h"

namespace skiff::digits {

struct Point {
    double x, y;
};
using Stroke = std::vector<Point>;  // a polyline

// The strokes of `digit` (0..9) in a box of about [-1, 1] x [-1, 1], y down, in one of the ways
// people write it; sizes and corners vary a little with every call.
std::vector<Stroke> glyph(int digit, Random& random);

}  // namespace skiff::digits
