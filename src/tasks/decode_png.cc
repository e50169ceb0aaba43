#include <png.h>

#include "tasks/decoders.h"

namespace skiff::tasks {
namespace {

// libpng's reader for whole images, freed whatever happens.
struct PngReader {
    png_image image{};
    PngReader() { image.version = PNG_IMAGE_VERSION; }
    ~PngReader() { png_image_free(&image); }
    PngReader(const PngReader&) = delete;
    PngReader& operator=(const PngReader&) = delete;

    Error failure() const {
        return error(Code::invalid_argument,
                     std::string("this PNG cannot be decoded: ") + image.message);
    }
};

// Deflate makes at most 1,032 bytes of one and a pixel takes at least a bit: a file that claims
// more ends early, and need not be given memory to find out.
bool can_hold(Bytes file, std::int64_t pixels) {
    return pixels / 8 / 1032 <= static_cast<std::int64_t>(file.size());
}

}  // namespace

Result<Pixels> decode_png(Bytes file) {
    PngReader reader;
    png_image& image = reader.image;
    if (!png_image_begin_read_from_memory(&image, file.data(), file.size()))
        return reader.failure();
    TRY(check_size(image.width, image.height));
    const std::int64_t n = std::int64_t{image.width} * image.height;
    if (!can_hold(file, n))
        return error(Code::invalid_argument, "this PNG cannot be decoded: it ends early");
    // Alpha is read and dropped: asked for RGB, libpng would mix with a background. 16-bit samples
    // are sRGB like all others (libpng would take them as linear).
    image.format = PNG_FORMAT_RGBA;
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    std::vector<std::uint8_t> rgba(static_cast<std::size_t>(n * 4));
    if (!png_image_finish_read(&image, nullptr, rgba.data(), 0, nullptr)) return reader.failure();
    const Image raw{rgba, PixelFormat::rgba, static_cast<int>(image.width),
                    static_cast<int>(image.height)};
    return convert_raw(raw);
}

}  // namespace skiff::tasks
