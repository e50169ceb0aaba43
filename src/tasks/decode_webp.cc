#include <webp/decode.h>

#include "tasks/decoders.h"

namespace skiff::tasks {
namespace {

// What libwebp allocates for the whole picture: a lossless one's 32-bit pixels, a lossy one's alpha
// plane and the indices it is decoded from.
int own_bytes_a_pixel(const WebPBitstreamFeatures& features) {
    constexpr int lossless = 2;
    return features.format == lossless ? 4 : features.has_alpha ? 2 : 0;
}

}  // namespace

Result<Pixels> decode_webp(Bytes file) {
    const Error damaged =
        error(Code::invalid_argument, "this WebP cannot be decoded: it is damaged or ends early");
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(file.data(), file.size(), &features) != VP8_STATUS_OK) return damaged;
    if (features.has_animation)
        return error(Code::invalid_argument, "this WebP is animated: give one of its pictures");
    TRY(check_size(features.width, features.height));
    const std::int64_t n = std::int64_t{features.width} * features.height;
    TRY(check_memory(n * (3 + own_bytes_a_pixel(features)), "save it smaller, or not lossless"));
    Pixels pixels{features.width, features.height, {}};
    pixels.rgb.resize(static_cast<std::size_t>(3 * n));
    if (!WebPDecodeRGBInto(file.data(), file.size(), pixels.rgb.data(), pixels.rgb.size(),
                           3 * features.width))
        return damaged;
    return pixels;
}

}  // namespace skiff::tasks
