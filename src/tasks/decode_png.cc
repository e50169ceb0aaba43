#include <png.h>

#include <algorithm>

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

// Deflate makes at most 1,032 bytes of one: a file that claims more ends early, and need not be
// given memory to find out. Bits a pixel as in the header, which libpng has checked.
bool can_hold(Bytes file, std::int64_t pixels) {
    constexpr std::size_t depth = 24, colour_type = 25;
    constexpr int channels[] = {1, 0, 3, 1,
                                2, 0, 4};  // of gray, -, RGB, palette, gray and alpha, -, RGBA
    const std::int64_t bits = pixels * channels[file[colour_type]] * file[depth];
    return bits / 8 / 1032 <= static_cast<std::int64_t>(file.size());
}

// RGBA to RGB, in place.
void drop_alpha(std::vector<std::uint8_t>& rgba) {
    const std::size_t n = rgba.size() / 4;
    for (std::size_t i = 1; i < n; ++i) std::copy_n(&rgba[4 * i], 3, &rgba[3 * i]);
    rgba.resize(3 * n);
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
    const bool has_alpha = image.format & PNG_FORMAT_FLAG_ALPHA;
    image.format = has_alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    const std::int64_t bytes = n * (has_alpha ? 4 : 3);
    TRY(check_memory(bytes, "save it smaller"));
    Pixels pixels{static_cast<int>(image.width), static_cast<int>(image.height), {}};
    pixels.rgb.resize(static_cast<std::size_t>(bytes));
    if (!png_image_finish_read(&image, nullptr, pixels.rgb.data(), 0, nullptr))
        return reader.failure();
    if (has_alpha) drop_alpha(pixels.rgb);
    return pixels;
}

}  // namespace skiff::tasks
