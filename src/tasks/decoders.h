// The decoders behind load_pixels, one file each. All take a whole file and give upright RGB or a
// one-line error; none allocates for pixels before check_size and check_memory have passed, nor for
// a header that claims more than a file of this size can hold (where the format sets such a bound).
#pragma once

#include "tasks/image.h"

namespace skiff::tasks {

Status check_size(std::int64_t width, std::int64_t height);
// Refuses what would take more than max_decode_bytes. `cure` ends the sentence: "..., save it so".
Status check_memory(std::int64_t decode_bytes, std::string_view cure);

Result<Pixels> decode_jpeg(Bytes file);  // EXIF orientation applied
Result<Pixels> decode_png(Bytes file);
Result<Pixels> decode_webp(Bytes file);
Result<Pixels> decode_bmp(Bytes file);

// Checked and converted, not yet rotated.
Result<Pixels> convert_raw(const Image& image);

}  // namespace skiff::tasks
