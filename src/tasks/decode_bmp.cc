#include <cstdlib>

#include "tasks/decoders.h"

namespace skiff::tasks {
namespace {

// The kinds that programs write: uncompressed 24 and 32 bits, and 8 bits with a palette.
//
// A file header of 14 bytes ("BM", ..., offset of the pixels at 10), then an info header of 40
// bytes or more (size, width, height, planes, bits, compression, ..., colours in the palette at
// 32), at 40 the masks of "bit fields". Colours are blue, green, red (, unused); rows are padded to
// 4 bytes and run upwards unless the height is negative.
constexpr std::size_t file_header = 14;
constexpr std::size_t small_info = 40;
constexpr std::uint32_t uncompressed = 0, bit_fields = 3;

struct Header {
    std::size_t pixels;  // offset of the first stored row
    std::size_t palette;
    std::uint32_t colours;
    int width, height, bits;
    bool top_down;
};

std::uint32_t u32(Bytes file, std::size_t at) {
    return file[at] | std::uint32_t{file[at + 1]} << 8 | std::uint32_t{file[at + 2]} << 16 |
           std::uint32_t{file[at + 3]} << 24;
}

Error bad(std::string why) {
    return error(Code::invalid_argument, "this BMP cannot be decoded: " + why);
}

bool has_usual_masks(Bytes file) {
    constexpr std::size_t masks = file_header + 40;
    return file.size() >= masks + 12 && u32(file, masks) == 0xFF0000 &&
           u32(file, masks + 4) == 0xFF00 && u32(file, masks + 8) == 0xFF;
}

Result<Header> read_header(Bytes file) {
    if (file.size() < file_header + small_info) return bad("it ends early");
    const std::size_t info = u32(file, file_header);
    if (info < small_info || info > file.size() - file_header)
        return bad("its header is of a kind not taken (save it as a 24-bit BMP)");
    const auto width = static_cast<std::int32_t>(u32(file, 18));
    const auto height = static_cast<std::int32_t>(u32(file, 22));
    TRY(check_size(width, std::abs(std::int64_t{height})));
    Header h{u32(file, 10),    file_header + info,       u32(file, 46), width,
             std::abs(height), file[28] | file[29] << 8, height < 0};
    const std::uint32_t compression = u32(file, 30);
    const bool plain = compression == uncompressed && (h.bits == 8 || h.bits == 24 || h.bits == 32);
    const bool masked = compression == bit_fields && h.bits == 32 && has_usual_masks(file);
    if (!plain && !masked)
        return bad("of compression " + std::to_string(compression) + " with " +
                   std::to_string(h.bits) + " bits a pixel (save it uncompressed with 24 bits)");
    if (h.bits == 8) {
        if (h.colours == 0) h.colours = 256;
        if (h.colours > 256 || file.size() - h.palette < 4 * std::size_t{h.colours})
            return bad("its palette is damaged");
    }
    return h;
}

}  // namespace

Result<Pixels> decode_bmp(Bytes file) {
    const Header h = TRY(read_header(file));
    const auto width = static_cast<std::size_t>(h.width),
               height = static_cast<std::size_t>(h.height);
    const auto pixel_bytes = static_cast<std::size_t>(h.bits / 8);
    const std::size_t row_bytes = (width * pixel_bytes + 3) / 4 * 4;
    if (h.pixels > file.size() || file.size() - h.pixels < row_bytes * height)
        return bad("it ends early");
    Pixels out{h.width, h.height, std::vector<std::uint8_t>(width * height * 3)};
    std::uint8_t* target = out.rgb.data();
    for (std::size_t y = 0; y < height; ++y) {
        const std::uint8_t* row =
            file.data() + h.pixels + row_bytes * (h.top_down ? y : height - 1 - y);
        for (std::size_t x = 0; x < width; ++x) {
            const std::uint8_t* colour = row + x * pixel_bytes;
            if (h.bits == 8) {
                if (*colour >= h.colours) return bad("a pixel's colour is not in its palette");
                colour = file.data() + h.palette + 4 * std::size_t{*colour};
            }
            *target++ = colour[2];
            *target++ = colour[1];
            *target++ = colour[0];
        }
    }
    return out;
}

}  // namespace skiff::tasks
