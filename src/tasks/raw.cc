// Raw pixels of cameras and screens to RGB.
#include <algorithm>

#include "tasks/decoders.h"

namespace skiff::tasks {
namespace {

// Where rows lie, in bytes; the chroma plane only for NV12 and NV21.
struct Layout {
    std::size_t width, height;
    std::size_t stride, row_bytes;
    std::size_t chroma_stride = 0, chroma_rows = 0;

    std::size_t chroma() const { return stride * height; }
    std::size_t needed() const {
        if (chroma_rows == 0) return stride * (height - 1) + row_bytes;
        return chroma() + chroma_stride * (chroma_rows - 1) + (width + 1) / 2 * 2;
    }
};

std::size_t row_bytes_of(PixelFormat format, std::size_t width) {
    switch (format) {
        case PixelFormat::rgb:
            return 3 * width;
        case PixelFormat::rgba:
            return 4 * width;
        case PixelFormat::yuyv:
            return (width + 1) / 2 * 4;
        default:
            return width;
    }
}

Result<Layout> layout_of(const Image& image) {
    TRY(check_size(image.width, image.height));
    Layout l{static_cast<std::size_t>(image.width), static_cast<std::size_t>(image.height), 0, 0};
    l.row_bytes = row_bytes_of(image.format, l.width);
    if (image.stride != 0 &&
        (image.stride < 0 || static_cast<std::size_t>(image.stride) < l.row_bytes))
        return error(Code::invalid_argument,
                     "the image's stride of " + std::to_string(image.stride) +
                         " bytes is too small: a row has " + std::to_string(l.row_bytes));
    l.stride = image.stride ? static_cast<std::size_t>(image.stride) : l.row_bytes;
    if (image.format == PixelFormat::nv12 || image.format == PixelFormat::nv21) {
        l.chroma_stride = std::max(l.stride, (l.width + 1) / 2 * 2);
        l.chroma_rows = (l.height + 1) / 2;
    }
    if (image.bytes.size() < l.needed())
        return error(Code::invalid_argument, "the image has " + std::to_string(image.bytes.size()) +
                                                 " bytes, its size and format need " +
                                                 std::to_string(l.needed()) +
                                                 ": check width, height, stride and format");
    return l;
}

std::uint8_t clamp_byte(int v) {
    return static_cast<std::uint8_t>(std::clamp(v, 0, 255));
}

// ITU-R BT.601, studio range: R = 1.164 (Y-16) + 1.596 (V-128), and so on, in 1/256.
void put_yuv(int y, int u, int v, std::uint8_t* rgb) {
    const int luma = 298 * (y - 16) + 128;
    u -= 128;
    v -= 128;
    rgb[0] = clamp_byte((luma + 409 * v) >> 8);
    rgb[1] = clamp_byte((luma - 100 * u - 208 * v) >> 8);
    rgb[2] = clamp_byte((luma + 516 * u) >> 8);
}

void convert_row(PixelFormat format, const std::uint8_t* row, const std::uint8_t* chroma,
                 std::size_t width, std::uint8_t* rgb) {
    for (std::size_t x = 0; x < width; ++x, rgb += 3) {
        const std::uint8_t* pair = nullptr;
        switch (format) {
            case PixelFormat::rgb:
                std::copy_n(row + 3 * x, 3, rgb);
                break;
            case PixelFormat::rgba:
                std::copy_n(row + 4 * x, 3, rgb);
                break;
            case PixelFormat::gray:
                std::fill_n(rgb, 3, row[x]);
                break;
            case PixelFormat::nv12:
                pair = chroma + x / 2 * 2;
                put_yuv(row[x], pair[0], pair[1], rgb);
                break;
            case PixelFormat::nv21:
                pair = chroma + x / 2 * 2;
                put_yuv(row[x], pair[1], pair[0], rgb);
                break;
            case PixelFormat::yuyv:
                pair = row + x / 2 * 4;
                put_yuv(pair[x % 2 * 2], pair[1], pair[3], rgb);
                break;
            case PixelFormat::encoded:
                CHECK(format != PixelFormat::encoded);
        }
    }
}

}  // namespace

Result<Pixels> convert_raw(const Image& image) {
    const Layout l = TRY(layout_of(image));
    Pixels out{image.width, image.height, std::vector<std::uint8_t>(l.width * l.height * 3)};
    const std::uint8_t* bytes = image.bytes.data();
    for (std::size_t y = 0; y < l.height; ++y)
        convert_row(image.format, bytes + y * l.stride,
                    l.chroma_rows ? bytes + l.chroma() + y / 2 * l.chroma_stride : nullptr, l.width,
                    &out.rgb[3 * y * l.width]);
    return out;
}

}  // namespace skiff::tasks
