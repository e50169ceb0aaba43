#pragma once

#include "tasks/image.h"

namespace skiff::tasks {

// How stored pixels have to be turned to stand upright, with EXIF's numbers.
enum class Orientation : std::uint8_t {
    upright = 1,
    mirrored = 2,
    turn_180 = 3,
    flipped = 4,
    transposed = 5,
    turn_90 = 6,  // clockwise
    transversed = 7,
    turn_270 = 8,
};

Pixels oriented(Pixels pixels, Orientation orientation);

// The orientation that an APP1 segment of a JPEG states; upright when it is no EXIF, has none, or
// is damaged: a photo is worth more than its notes.
Orientation exif_orientation(Bytes app1);

}  // namespace skiff::tasks
