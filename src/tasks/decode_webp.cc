#include <webp/decode.h>

#include "tasks/decoders.h"

namespace skiff::tasks {

Result<Pixels> decode_webp(Bytes file) {
    const Error damaged =
        error(Code::invalid_argument, "this WebP cannot be decoded: it is damaged or ends early");
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(file.data(), file.size(), &features) != VP8_STATUS_OK) return damaged;
    if (features.has_animation)
        return error(Code::invalid_argument, "this WebP is animated: give one of its pictures");
    TRY(check_size(features.width, features.height));
    Pixels pixels{features.width, features.height, {}};
    pixels.rgb.resize(std::size_t{3} * static_cast<std::size_t>(features.width) *
                      static_cast<std::size_t>(features.height));
    if (!WebPDecodeRGBInto(file.data(), file.size(), pixels.rgb.data(), pixels.rgb.size(),
                           3 * features.width))
        return damaged;
    return pixels;
}

}  // namespace skiff::tasks
