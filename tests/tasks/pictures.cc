#include "tests/tasks/pictures.h"

// jpeglib.h uses FILE and does not include it.
// clang-format off
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>
// clang-format on

namespace skiff::tasks {
namespace {

void put(File& out, std::uint32_t value, int bytes, bool big_endian = false) {
    for (int i = 0; i < bytes; ++i)
        out.push_back(static_cast<std::uint8_t>(value >> 8 * (big_endian ? bytes - 1 - i : i)));
}

// An APP1 payload with one directory: an entry to step over, then the orientation.
File exif_segment(int orientation, bool big_endian) {
    File out = {'E', 'x', 'i', 'f', 0, 0};
    put(out, big_endian ? 0x4D4D : 0x4949, 2);
    put(out, 42, 2, big_endian);
    put(out, 8, 4, big_endian);
    put(out, 2, 2, big_endian);
    for (const std::uint32_t tag : {0x0100u, 0x0112u}) {
        put(out, tag, 2, big_endian);
        put(out, 3, 2, big_endian);  // SHORT
        put(out, 1, 4, big_endian);
        put(out, tag == 0x0112u ? static_cast<std::uint32_t>(orientation) : 3, 2, big_endian);
        put(out, 0, 2);
    }
    put(out, 0, 4);
    return out;
}

}  // namespace

Pixels gradient(int width, int height) {
    Pixels p{width, height, {}};
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (const int v : {x * 255 / width, y * 255 / height, (x * 7 + y * 13) % 256})
                p.rgb.push_back(static_cast<std::uint8_t>(v));
    return p;
}

Pixels quarters(int width, int height) {
    constexpr std::uint8_t colours[4][3] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 255}};
    Pixels p{width, height, {}};
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const auto& colour = colours[(y >= height / 2 ? 2 : 0) + (x >= width / 2 ? 1 : 0)];
            p.rgb.insert(p.rgb.end(), colour, colour + 3);
        }
    return p;
}

File jpeg_file(const Pixels& pixels, int orientation, bool big_endian, bool progressive) {
    jpeg_compress_struct info{};
    jpeg_error_mgr errors;
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    unsigned char* bytes = nullptr;
    unsigned long n = 0;
    jpeg_mem_dest(&info, &bytes, &n);
    info.image_width = static_cast<JDIMENSION>(pixels.width);
    info.image_height = static_cast<JDIMENSION>(pixels.height);
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, 95, TRUE);
    info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;  // colours at full size
    if (progressive) jpeg_simple_progression(&info);
    jpeg_start_compress(&info, TRUE);
    if (orientation) {
        const File exif = exif_segment(orientation, big_endian);
        jpeg_write_marker(&info, JPEG_APP0 + 1, exif.data(), static_cast<unsigned>(exif.size()));
    }
    File rows = pixels.rgb;
    while (info.next_scanline < info.image_height) {
        JSAMPROW row = rows.data() + std::size_t{3} * info.image_width * info.next_scanline;
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    const File file(bytes, bytes + n);
    std::free(bytes);
    return file;
}

File png_file(const Pixels& pixels, bool with_alpha) {
    File rows = pixels.rgb;
    if (with_alpha) {  // alpha of all kinds: none of it may show
        rows.clear();
        for (std::size_t i = 0; i < pixels.rgb.size(); i += 3) {
            rows.insert(rows.end(), &pixels.rgb[i], &pixels.rgb[i] + 3);
            rows.push_back(static_cast<std::uint8_t>(i));
        }
    }
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(pixels.width);
    image.height = static_cast<png_uint_32>(pixels.height);
    image.format = with_alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
    png_alloc_size_t n = 0;
    png_image_write_to_memory(&image, nullptr, &n, 0, rows.data(), 0, nullptr);
    File file(n);
    png_image_write_to_memory(&image, file.data(), &n, 0, rows.data(), 0, nullptr);
    file.resize(n);
    return file;
}

File webp_file(const Pixels& pixels) {
    std::uint8_t* bytes = nullptr;
    const std::size_t n = WebPEncodeLosslessRGB(pixels.rgb.data(), pixels.width, pixels.height,
                                                3 * pixels.width, &bytes);
    const File file(bytes, bytes + n);
    WebPFree(bytes);
    return file;
}

File bmp_file(const Pixels& pixels, BmpKind kind) {
    const auto pixel_bytes = static_cast<std::size_t>(kind.bits / 8);
    const auto width = static_cast<std::size_t>(pixels.width),
               height = static_cast<std::size_t>(pixels.height);
    const std::size_t row_bytes = (width * pixel_bytes + 3) / 4 * 4;
    const std::size_t extra = kind.bits == 8 ? 1024 : kind.masks && kind.info_bytes == 40 ? 12 : 0;
    const std::size_t offset = 14 + static_cast<std::size_t>(kind.info_bytes) + extra;
    File out = {'B', 'M'};
    put(out, static_cast<std::uint32_t>(offset + row_bytes * height), 4);
    put(out, 0, 4);
    put(out, static_cast<std::uint32_t>(offset), 4);
    put(out, static_cast<std::uint32_t>(kind.info_bytes), 4);
    put(out, static_cast<std::uint32_t>(pixels.width), 4);
    put(out, static_cast<std::uint32_t>(kind.top_down ? -pixels.height : pixels.height), 4);
    put(out, 1, 2);
    put(out, static_cast<std::uint32_t>(kind.bits), 2);
    put(out, kind.masks ? 3 : 0, 4);
    for (int i = 0; i < 5; ++i) put(out, 0, 4);
    if (kind.masks)
        for (const std::uint32_t mask : {0xFF0000u, 0xFF00u, 0xFFu}) put(out, mask, 4);
    out.resize(offset - (kind.bits == 8 ? 1024 : 0));
    if (kind.bits == 8)
        for (std::uint32_t i = 0; i < 256; ++i) put(out, i * 0x10101, 4);
    for (std::size_t y = 0; y < height; ++y) {
        const std::uint8_t* rgb = &pixels.rgb[3 * width * (kind.top_down ? y : height - 1 - y)];
        const std::size_t start = out.size();
        for (std::size_t x = 0; x < width; ++x, rgb += 3) {
            if (kind.bits == 8) {
                out.push_back(rgb[0]);
                continue;
            }
            out.insert(out.end(), {rgb[2], rgb[1], rgb[0]});
            if (kind.bits == 32) out.push_back(77);
        }
        out.resize(start + row_bytes);
    }
    return out;
}

int largest_difference(const Pixels& a, const Pixels& b) {
    if (a.width != b.width || a.height != b.height || a.rgb.size() != b.rgb.size()) return -1;
    int largest = 0;
    for (std::size_t i = 0; i < a.rgb.size(); ++i)
        largest = std::max(largest, std::abs(a.rgb[i] - b.rgb[i]));
    return largest;
}

}  // namespace skiff::tasks
