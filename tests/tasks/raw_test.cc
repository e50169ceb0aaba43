#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tasks/orientation.h"
#include "tests/tasks/pictures.h"

namespace skiff::tasks {
namespace {

// BT.601, studio range, straight from the definition.
int reference(double y, double u, double v, int channel) {
    const double luma = (y - 16) * 255 / 219, scale = 255.0 / 224;
    const double blue = (u - 128) * scale, red = (v - 128) * scale;
    const double rgb[] = {luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red,
                          luma + 1.772 * blue};
    return static_cast<int>(std::clamp(std::lround(rgb[channel]), 0L, 255L));
}

struct Yuv {
    int y, u, v;
};
// The sample that pixel (x, y) of the test pattern shows; chroma is per 2 x 2 (or 2 x 1 for YUYV).
Yuv pattern(int x, int y, bool half_rows) {
    const int cx = x / 2, cy = half_rows ? y / 2 : y;
    return {(x * 37 + y * 91) % 256, (cx * 67 + cy * 29) % 256, (cx * 11 + cy * 151 + 90) % 256};
}

File yuv_file(PixelFormat format, int width, int height, int stride) {
    const int even = (width + 1) / 2 * 2;
    if (format == PixelFormat::yuyv) {
        File out(static_cast<std::size_t>(stride * (height - 1) + even * 2));
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < even; ++x) {
                const Yuv s = pattern(x, y, false);
                std::uint8_t* at = &out[static_cast<std::size_t>(y * stride + x * 2)];
                at[0] = static_cast<std::uint8_t>(s.y);
                at[1] = static_cast<std::uint8_t>(x % 2 ? s.v : s.u);
            }
        return out;
    }
    const int chroma_stride = std::max(stride, even), chroma_rows = (height + 1) / 2;
    File out(static_cast<std::size_t>(stride * height + chroma_stride * (chroma_rows - 1) + even));
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const Yuv s = pattern(x, y, true);
            out[static_cast<std::size_t>(y * stride + x)] = static_cast<std::uint8_t>(s.y);
            const int pair = stride * height + y / 2 * chroma_stride + x / 2 * 2;
            const bool u_first = format == PixelFormat::nv12;
            out[static_cast<std::size_t>(pair)] = static_cast<std::uint8_t>(u_first ? s.u : s.v);
            out[static_cast<std::size_t>(pair + 1)] =
                static_cast<std::uint8_t>(u_first ? s.v : s.u);
        }
    return out;
}

TEST(Raw, YuvMatchesTheFormula) {
    for (const PixelFormat format : {PixelFormat::nv12, PixelFormat::nv21, PixelFormat::yuyv})
        for (const auto& [width, height] : {std::pair{8, 6}, {7, 5}, {1, 1}, {2, 1}, {64, 48}})
            for (const int padding : {0, 6}) {
                const bool packed = format == PixelFormat::yuyv;
                const int row = packed ? (width + 1) / 2 * 4 : width;
                const File file = yuv_file(format, width, height, row + padding);
                const auto p =
                    load_pixels({file, format, width, height, padding ? row + padding : 0});
                ASSERT_TRUE(p.ok()) << p.error().message;
                for (int y = 0; y < height; ++y)
                    for (int x = 0; x < width; ++x)
                        for (int c = 0; c < 3; ++c) {
                            const Yuv s = pattern(x, y, !packed);
                            EXPECT_NEAR(p->rgb[static_cast<std::size_t>(3 * (y * width + x) + c)],
                                        reference(s.y, s.u, s.v, c), 2);
                        }
            }
}

TEST(Raw, BlackWhiteAndRedOfTheStandard) {
    const auto shown = [](std::uint8_t y, std::uint8_t u, std::uint8_t v) {
        const File file = {y, u, v};
        return load_pixels({file, PixelFormat::nv12, 1, 1})->rgb;
    };
    EXPECT_EQ(shown(16, 128, 128), (File{0, 0, 0}));
    EXPECT_EQ(shown(235, 128, 128), (File{255, 255, 255}));
    EXPECT_NEAR(shown(81, 90, 240)[0], 255, 1);
    EXPECT_NEAR(shown(81, 90, 240)[2], 0, 1);
}

TEST(Raw, RgbRgbaAndGrayWithStrides) {
    const Pixels p = gradient(5, 4);
    for (const int padding : {0, 3}) {
        const auto rows = [&](int bytes_a_pixel, auto put) {
            File out;
            for (int y = 0; y < p.height; ++y) {
                for (int x = 0; x < p.width; ++x)
                    put(out, &p.rgb[static_cast<std::size_t>(3 * (y * p.width + x))]);
                if (y + 1 < p.height) out.resize(out.size() + static_cast<std::size_t>(padding));
            }
            return std::pair{out, padding ? p.width * bytes_a_pixel + padding : 0};
        };
        const auto [rgb, rgb_stride] =
            rows(3, [](File& f, const std::uint8_t* c) { f.insert(f.end(), c, c + 3); });
        const auto [rgba, rgba_stride] = rows(4, [](File& f, const std::uint8_t* c) {
            f.insert(f.end(), c, c + 3);
            f.push_back(9);
        });
        const auto [gray, gray_stride] =
            rows(1, [](File& f, const std::uint8_t* c) { f.push_back(c[1]); });
        EXPECT_EQ(largest_difference(*load_pixels({rgb, PixelFormat::rgb, 5, 4, rgb_stride}), p),
                  0);
        EXPECT_EQ(largest_difference(*load_pixels({rgba, PixelFormat::rgba, 5, 4, rgba_stride}), p),
                  0);
        const auto g = load_pixels({gray, PixelFormat::gray, 5, 4, gray_stride});
        for (std::size_t i = 0; i < g->rgb.size(); ++i) EXPECT_EQ(g->rgb[i], p.rgb[i / 3 * 3 + 1]);
    }
}

TEST(Raw, RotationsAreClockwise) {
    const std::uint8_t stored[] = {1, 2, 3,  //
                                   4, 5, 6};
    const std::tuple<int, int, std::vector<int>> cases[] = {{0, 3, {1, 2, 3, 4, 5, 6}},
                                                            {90, 2, {4, 1, 5, 2, 6, 3}},
                                                            {180, 3, {6, 5, 4, 3, 2, 1}},
                                                            {270, 2, {3, 6, 2, 5, 1, 4}}};
    for (const auto& [rotation, width, values] : cases) {
        const auto p = load_pixels({stored, PixelFormat::gray, 3, 2, 0, rotation});
        ASSERT_TRUE(p.ok());
        EXPECT_EQ(p->width, width);
        EXPECT_EQ(p->height, 6 / width);
        for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(p->rgb[3 * i], values[i]) << rotation;
    }
}

TEST(Raw, WhatDoesNotFitIsRefused) {
    const File bytes(24);
    const auto message = [&](Image image) {
        const auto result = load_pixels(image);
        return result.ok() ? std::string("decoded") : result.error().message;
    };
    const std::pair<Image, const char*> cases[] = {
        {{bytes, PixelFormat::rgb, 4, 2}, "decoded"},
        {{bytes, PixelFormat::rgb, 4, 3}, "24 bytes, its size and format need 36"},
        {{bytes, PixelFormat::rgba, 3, 3}, "need 36"},
        {{bytes, PixelFormat::gray, 5, 5}, "need 25"},
        {{bytes, PixelFormat::nv12, 4, 4}, "decoded"},
        {{bytes, PixelFormat::nv21, 5, 4}, "need 32"},
        {{bytes, PixelFormat::yuyv, 5, 2}, "decoded"},
        {{bytes, PixelFormat::yuyv, 5, 3}, "need 36"},
        {{bytes, PixelFormat::rgb, 4, 2, 11}, "stride of 11 bytes is too small: a row has 12"},
        {{bytes, PixelFormat::rgb, 4, 2, -12}, "stride of -12"},
        {{bytes, PixelFormat::rgb, 4, 2, 13}, "need 25"},
        {{bytes, PixelFormat::gray, 0, 4}, "nothing in it"},
        {{bytes, PixelFormat::gray, 4, -4}, "nothing in it"},
        {{bytes, PixelFormat::gray, INT32_MAX, INT32_MAX}, "too large"},
        {{bytes, PixelFormat::gray, 2, 2, INT32_MAX}, "need 2147483649"},
        {{bytes, PixelFormat::gray, 4, 4, 0, 45}, "rotated by 45 degrees"},
        {{bytes, PixelFormat::gray, 4, 4, 0, -90}, "rotated by -90 degrees"},
    };
    for (const auto& [image, part] : cases)
        EXPECT_NE(message(image).find(part), std::string::npos) << message(image);
}

}  // namespace
}  // namespace skiff::tasks
