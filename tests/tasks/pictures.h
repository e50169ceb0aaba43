// Small pictures and their files, made with the official encoders.
#pragma once

#include <string>
#include <vector>

#include "tasks/image.h"

namespace skiff::tasks {

using File = std::vector<std::uint8_t>;

// Every pixel another colour.
Pixels gradient(int width, int height);
// Four plain quarters: red, green above blue, white.
Pixels quarters(int width, int height);

// `orientation` 1..8 adds an EXIF segment, in either byte order; 0 adds none.
File jpeg_file(const Pixels& pixels, int orientation = 0, bool big_endian = false,
               bool progressive = false);
File png_file(const Pixels& pixels, bool with_alpha = false);
File webp_file(const Pixels& pixels);  // lossless

struct BmpKind {
    int bits = 24;  // 8 writes a gray palette
    bool top_down = false;
    int info_bytes = 40;
    bool masks = false;
};
File bmp_file(const Pixels& pixels, BmpKind kind);

// The largest difference of any byte; -1 when the sizes differ.
int largest_difference(const Pixels& a, const Pixels& b);

}  // namespace skiff::tasks
