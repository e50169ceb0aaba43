#pragma once

#include <cstdint>
#include <vector>

#include "tools/digits/draw.h"

namespace skiff::digits {

// A gray 8-bit PNG, stored without compression: for pictures of a few hundred pixels that is small
// enough, and needs no library whose next version compresses otherwise.
std::vector<std::uint8_t> write_png(const Picture& picture);

}  // namespace skiff::digits
