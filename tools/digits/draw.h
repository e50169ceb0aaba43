// Draws pictures of digits: a pen stroke bent, turned, thickened, blurred, dirtied. No public data
// set is behind it.
#pragma once

#include <array>
#include <cstdint>

#include "tools/digits/random.h"

namespace skiff::digits {

inline constexpr int side = 28;
using Picture = std::array<std::uint8_t, side * side>;  // gray, row by row

struct Sample {
    Picture picture;
    int digit;  // 0..9
};

// Dark on bright or bright on dark; the same sequence of `random` gives the same picture on every
// machine.
Picture draw(int digit, Random& random);
Sample draw_any(Random& random);

}  // namespace skiff::digits
