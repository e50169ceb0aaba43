#include <gtest/gtest.h>

#include <algorithm>

#include "tasks/decoders.h"
#include "tasks/orientation.h"
#include "tests/tasks/pictures.h"

namespace skiff::tasks {
namespace {

std::string message_of(Bytes file) {
    const auto result = load_pixels({file});
    return result.ok() ? "decoded" : result.error().message;
}

Pixels decoded(Bytes file) {
    auto result = load_pixels({file});
    EXPECT_TRUE(result.ok()) << result.error().message;
    return result.ok() ? *result : Pixels{};
}

Pixels gray_gradient(int width, int height) {
    Pixels p = gradient(width, height);
    for (std::size_t i = 0; i < p.rgb.size(); i += 3) p.rgb[i + 1] = p.rgb[i + 2] = p.rgb[i];
    return p;
}

TEST(Decode, LosslessFormatsGiveTheVeryPixels) {
    const Pixels p = gradient(13, 7);
    EXPECT_EQ(largest_difference(decoded(png_file(p)), p), 0);
    EXPECT_EQ(largest_difference(decoded(png_file(p, true)), p), 0);
    EXPECT_EQ(largest_difference(decoded(webp_file(p)), p), 0);
}

TEST(Decode, EveryKindOfBmp) {
    for (const BmpKind kind :
         {BmpKind{24}, BmpKind{24, true}, BmpKind{32}, BmpKind{32, true}, BmpKind{24, false, 124},
          BmpKind{32, false, 40, true}, BmpKind{32, false, 108, true}})
        for (const int width : {1, 2, 3, 4, 13}) {
            const Pixels p = gradient(width, 5);
            EXPECT_EQ(largest_difference(decoded(bmp_file(p, kind)), p), 0)
                << kind.bits << " " << kind.top_down << " " << kind.info_bytes << " " << width;
        }
    const Pixels gray = gray_gradient(7, 5);
    for (const bool top_down : {false, true})
        EXPECT_EQ(largest_difference(decoded(bmp_file(gray, {8, top_down})), gray), 0);
}

TEST(Decode, JpegIsClose) {
    const Pixels p = quarters(32, 16);
    EXPECT_LE(largest_difference(decoded(jpeg_file(p)), p), 12);
    EXPECT_GE(largest_difference(decoded(jpeg_file(p)), p), 0);
    EXPECT_EQ(largest_difference(decoded(jpeg_file(p)), decoded(jpeg_file(p, 0, false, true))), 0);
}

// The corners of the upright image by EXIF orientation, as letters of the stored corners: top left
// A, top right B, bottom left C, bottom right D.
TEST(Decode, ExifOrientationTurnsTheJpeg) {
    const char* const upright[] = {"ABCD", "BADC", "DCBA", "CDAB", "ACBD", "CADB", "DBCA", "BDAC"};
    const Pixels stored = quarters(32, 16);
    const auto corner = [](const Pixels& p, int x, int y) {
        const std::uint8_t* rgb = &p.rgb[static_cast<std::size_t>(3 * (y * p.width + x))];
        const bool red = rgb[0] > 128, green = rgb[1] > 128;
        return red && green ? 'D' : red ? 'A' : green ? 'B' : 'C';
    };
    for (int orientation = 1; orientation <= 8; ++orientation)
        for (const bool big_endian : {false, true}) {
            const Pixels p = decoded(jpeg_file(stored, orientation, big_endian));
            ASSERT_EQ(p.width, orientation < 5 ? 32 : 16);
            ASSERT_EQ(p.height, orientation < 5 ? 16 : 32);
            const std::string corners = {corner(p, 0, 0), corner(p, p.width - 1, 0),
                                         corner(p, 0, p.height - 1),
                                         corner(p, p.width - 1, p.height - 1)};
            EXPECT_EQ(corners, upright[orientation - 1]) << orientation;
        }
}

TEST(Decode, DamagedExifIsNoExif) {
    const std::uint8_t header[] = {'E', 'x', 'i', 'f', 0, 0};
    const std::vector<std::vector<std::uint8_t>> tails = {
        {},
        {'I'},
        {'M', 'M', 0, 42, 0, 0, 0},
        {'I', 'I', 42, 0, 0xFF, 0xFF, 0xFF, 0xFF},
        {'I', 'I', 42, 0, 8, 0, 0, 0, 0xFF, 0xFF},
        {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0}};
    for (const auto& tail : tails) {
        File bytes(header, header + 6);
        bytes.insert(bytes.end(), tail.begin(), tail.end());
        EXPECT_EQ(exif_orientation(bytes), Orientation::upright);
    }
}

TEST(Decode, RotationComesOnTopOfTheFile) {
    const Pixels p = gradient(5, 3);
    const File file = png_file(p);
    const auto turned = load_pixels({file, PixelFormat::encoded, 0, 0, 0, 90});
    ASSERT_TRUE(turned.ok());
    EXPECT_EQ(largest_difference(*turned, oriented(p, Orientation::turn_90)), 0);
}

File text(std::string_view s) {
    return {s.begin(), s.end()};
}

TEST(Decode, WhatIsNoImageSaysSo) {
    for (const File& file : {File{}, text("a"), text("hello, this is text"), text("GIF89a......"),
                             text("RIFF1234WAVE"), text("\xFF\xD8")})
        EXPECT_NE(message_of(file).find("not an image: JPEG, PNG, WebP and BMP"), std::string::npos)
            << message_of(file);
}

TEST(Decode, BadBmpsSayWhatIsWrong) {
    const Pixels p = gradient(4, 4);
    const auto changed = [&](std::initializer_list<std::pair<std::size_t, int>> bytes,
                             BmpKind kind = {}) {
        File file = bmp_file(p, kind);
        for (const auto& [at, value] : bytes) file[at] = static_cast<std::uint8_t>(value);
        return message_of(file);
    };
    const auto expect = [](const std::string& message, const char* part) {
        EXPECT_NE(message.find(part), std::string::npos) << message;
    };
    expect(changed({{28, 16}}), "16 bits a pixel");
    expect(changed({{30, 1}}), "compression 1");
    expect(changed({{14, 12}}), "header is of a kind");
    expect(changed({{18, 0}}), "nothing in it");
    expect(changed({{21, 0x80}}), "nothing in it");
    expect(changed({{20, 0xFF}, {24, 0xFF}}), "too large");
    expect(changed({{25, 0x80}}), "too large");  // height: the most negative number but four
    expect(changed({{13, 0x80}}), "ends early");
    expect(changed({{18, 200}}), "ends early");
    expect(changed({{46, 2}}, {8}), "not in its palette");
    expect(changed({{47, 2}}, {8}), "palette is damaged");
    expect(changed({{54, 1}}, {32, false, 40, true}), "compression 3");
}

TEST(Decode, SizesBeyondTheLimitAreRefusedBeforeMemoryIsTaken) {
    EXPECT_TRUE(check_size(8192, 8192).ok());
    EXPECT_FALSE(check_size(8192, 8193).ok());
    EXPECT_TRUE(check_size(max_pixels, 1).ok());
    EXPECT_FALSE(check_size(max_pixels + 1, 1).ok());
    EXPECT_FALSE(check_size(INT64_MAX, INT64_MAX).ok());
    EXPECT_FALSE(check_size(0, 5).ok());
    EXPECT_FALSE(check_size(5, -1).ok());
}

void expect_refusal(const File& file, const char* part) {
    const std::string message = message_of(file);
    EXPECT_NE(message.find(part), std::string::npos) << message;
}

File with_bytes(File file, std::size_t at, const File& bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) file.at(at + i) = bytes[i];
    return file;
}

// 8192 x 8192 in the frame header of a JPEG, and `more` bytes behind its end.
File huge_jpeg(bool progressive, std::size_t more) {
    File file = jpeg_file(gradient(24, 17), 0, false, progressive);
    const File start = {0xFF, static_cast<std::uint8_t>(progressive ? 0xC2 : 0xC0)};
    const auto frame = std::search(file.begin(), file.end(), start.begin(), start.end());
    file = with_bytes(file, static_cast<std::size_t>(frame - file.begin()) + 5, {32, 0, 32, 0});
    file.resize(file.size() + more);
    return file;
}

// 64 megapixels claimed by a few bytes: no memory for them.
TEST(Decode, AFileThatCannotHoldWhatItsHeaderClaimsEndsEarly) {
    expect_refusal(huge_jpeg(false, 0), "JPEG cannot be decoded: it ends early");
    expect_refusal(huge_jpeg(true, 100'000), "JPEG cannot be decoded: it ends early");
    expect_refusal(huge_jpeg(false, 200'000), "JPEG cannot be decoded");  // says libjpeg
    // 8192 x 8192, 16 bits, RGBA, with the checksum that belongs to it.
    File png = with_bytes(png_file(gradient(5, 3)), 16, {0, 0, 32, 0, 0, 0, 32, 0, 16, 6, 0, 0, 0});
    png = with_bytes(png, 29, {0x22, 0x3A, 0x16, 0x1A});
    expect_refusal(png, "PNG cannot be decoded: it ends early");
}

TEST(Decode, WhatTakesTooMuchMemoryIsRefusedWithTheCure) {
    EXPECT_TRUE(check_memory(max_decode_bytes, "").ok());
    EXPECT_FALSE(check_memory(max_decode_bytes + 1, "").ok());
    expect_refusal(huge_jpeg(true, 200'000), "needs 576 MiB to be decoded, more than the 256");
    const File webp = webp_file(gradient(5, 3));  // width - 1 and height - 1 in 14 bits each
    expect_refusal(with_bytes(webp, 21, {0xFF, 0xDF, 0xFF, 0x07}), "smaller, or not lossless");
}

// As small as files get for their pixels: the bounds above must let them through.
TEST(Decode, APlainPictureMayBeATinyFile) {
    const Pixels black{1600, 1600, File(1600 * 1600 * 3)};
    for (const File& file :
         {jpeg_file(black), jpeg_file(black, 0, false, true), png_file(black), webp_file(black)})
        EXPECT_EQ(largest_difference(decoded(file), black), 0) << file.size();
}

struct Case {
    const char* name;
    File file;
};
std::vector<Case> all_formats() {
    const Pixels p = gradient(24, 17);
    return {{"jpeg", jpeg_file(p, 6)},
            {"progressive", jpeg_file(p, 0, false, true)},
            {"png", png_file(p)},
            {"png alpha", png_file(p, true)},
            {"webp", webp_file(p)},
            {"bmp 24", bmp_file(p, {})},
            {"bmp 8", bmp_file(p, {8, true})},
            {"bmp 32", bmp_file(p, {32, false, 108, true})}};
}

// Half a photo must not get a label. The last bytes may be an end mark or padding: without them the
// picture is whole.
TEST(Decode, EveryTruncationFailsCleanlyOrIsWhole) {
    for (const Case& c : all_formats()) {
        const Pixels whole = decoded(c.file);
        for (std::size_t n = 0; n < c.file.size(); ++n) {
            // A copy of exactly that size, so that the address sanitizer sees a read beyond it.
            const File part(c.file.begin(), c.file.begin() + static_cast<std::ptrdiff_t>(n));
            const auto result = load_pixels({part});
            if (result.ok()) {
                EXPECT_EQ(largest_difference(*result, whole), 0) << c.name << " at " << n;
                EXPECT_GE(n + 16, c.file.size()) << c.name;
            } else {
                EXPECT_EQ(result.error().message.find('\n'), std::string::npos);
                EXPECT_EQ(result.error().code, Code::invalid_argument);
            }
        }
    }
}

TEST(Decode, FlippedBytesNeverDoHarm) {
    std::uint32_t state = 12345;
    const auto next = [&] { return state = state * 1664525 + 1013904223; };
    for (const Case& c : all_formats())
        for (int round = 0; round < 400; ++round) {
            File file = c.file;
            for (std::uint32_t flips = 1 + (next() >> 16) % 3; flips > 0; --flips)
                file[(next() >> 8) % file.size()] ^=
                    static_cast<std::uint8_t>(1u << (next() >> 29));
            const auto result = load_pixels({file});
            if (result.ok()) {
                EXPECT_EQ(result->rgb.size(), static_cast<std::size_t>(result->width) *
                                                  static_cast<std::size_t>(result->height) * 3);
            }
        }
}

}  // namespace
}  // namespace skiff::tasks
