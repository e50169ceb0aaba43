// Images as they come: encoded files and raw pixels of cameras; and as the tasks take them: upright
// RGB.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace skiff::tasks {

enum class PixelFormat {
    encoded,  // a whole JPEG, PNG, WebP or BMP file, told by its first bytes
    rgb,      // 3 bytes a pixel
    rgba,     // 4 bytes a pixel; alpha is ignored, here and in encoded files
    gray,     // 1 byte a pixel
    nv12,     // luma plane, then U and V interleaved, each of half width and height (rounded up)
    nv21,     // the same with V before U: Android's camera
    yuyv,     // Y0 U Y1 V: two pixels in four bytes
};

// A view of the caller's bytes.
struct Image {
    Bytes bytes;
    PixelFormat format = PixelFormat::encoded;
    int width = 0, height = 0;  // of the stored pixels, before rotation; encoded: not looked at
    int stride = 0;  // bytes from row to row of the first plane; 0: rows without gaps. The chroma
                     // plane of NV12 and NV21 follows the last luma row and has the same stride, or
                     // what its rows need if that is more
    int rotation = 0;  // 0, 90, 180, 270: degrees clockwise that make the image upright. Encoded:
                       // after what EXIF says
};

// Upright, 3 bytes a pixel (red, green, blue), rows without gaps.
struct Pixels {
    int width = 0, height = 0;
    std::vector<std::uint8_t> rgb;
};

// Larger images are refused before anything is allocated for them: 8192 x 8192 or any other shape
// of that area.
inline constexpr std::int64_t max_pixels = std::int64_t{1} << 26;

// What decoding a file takes at most, the decoder's own memory and the pixels together. Every kind
// has room for 28 million pixels within it, most have for max_pixels. A turn by 90 degrees takes
// the pixels' size once more, afterwards.
inline constexpr std::int64_t max_decode_bytes = std::int64_t{256} << 20;

// Errors, all Code::invalid_argument: not an image, one that ends early or contradicts itself, too
// large (files that could not hold what their header claims included), of a kind that no decoder
// here takes (animated WebP, CMYK JPEG, compressed BMP), a bad stride or rotation, fewer bytes than
// the format needs.
//
// YUV is taken as BT.601 with studio range (luma 16 to 235), chroma of the nearest sample: what
// libyuv's NV12 and NV21 conversions in the TFLite Task Library do, which the same model was used
// with before.
Result<Pixels> load_pixels(const Image& image);

}  // namespace skiff::tasks
