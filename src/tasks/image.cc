#include "tasks/image.h"

#include <cstring>

#include "tasks/decoders.h"
#include "tasks/orientation.h"

namespace skiff::tasks {
namespace {

bool has_at(Bytes file, std::size_t at, std::string_view magic) {
    return file.size() >= at + magic.size() &&
           std::memcmp(file.data() + at, magic.data(), magic.size()) == 0;
}

Result<Pixels> decode(Bytes file) {
    if (has_at(file, 0, "\xFF\xD8\xFF")) return decode_jpeg(file);
    if (has_at(file, 0, "\x89PNG\r\n\x1A\n")) return decode_png(file);
    if (has_at(file, 0, "RIFF") && has_at(file, 8, "WEBP")) return decode_webp(file);
    if (has_at(file, 0, "BM")) return decode_bmp(file);
    return error(Code::invalid_argument,
                 "this is not an image: JPEG, PNG, WebP and BMP files are taken (raw pixels need "
                 "their format and size)");
}

Result<Orientation> orientation_of(int rotation) {
    switch (rotation) {
        case 0:
            return Orientation::upright;
        case 90:
            return Orientation::turn_90;
        case 180:
            return Orientation::turn_180;
        case 270:
            return Orientation::turn_270;
        default:
            return error(Code::invalid_argument, "an image cannot be rotated by " +
                                                     std::to_string(rotation) +
                                                     " degrees: give 0, 90, 180 or 270");
    }
}

}  // namespace

Status check_size(std::int64_t width, std::int64_t height) {
    if (width >= 1 && height >= 1 && width <= max_pixels && height <= max_pixels / width) return {};
    const std::string size = std::to_string(width) + " x " + std::to_string(height);
    if (width < 1 || height < 1)
        return error(Code::invalid_argument, "an image of " + size + " pixels has nothing in it");
    return error(Code::invalid_argument, "an image of " + size + " pixels is too large: at most " +
                                             std::to_string(max_pixels) +
                                             " pixels are taken, scale it down first");
}

Status check_memory(std::int64_t decode_bytes, std::string_view cure) {
    if (decode_bytes <= max_decode_bytes) return {};
    constexpr std::int64_t mib = std::int64_t{1} << 20;
    return error(Code::invalid_argument, "this image needs " + std::to_string(decode_bytes / mib) +
                                             " MiB to be decoded, more than the " +
                                             std::to_string(max_decode_bytes / mib) +
                                             " that are taken: " + std::string(cure));
}

Result<Pixels> load_pixels(const Image& image) {
    const Orientation orientation = TRY(orientation_of(image.rotation));
    Pixels pixels =
        TRY(image.format == PixelFormat::encoded ? decode(image.bytes) : convert_raw(image));
    return oriented(std::move(pixels), orientation);
}

}  // namespace skiff::tasks
