// The committed example models do what examples/digits/README.md promises, on pictures drawn now.
#include "base/files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <regex>

#include "base/hex.h"
#include "base/sha256.h"
#include "tasks/image_labeler.h"
#include "tools/digits/draw.h"
#include "tools/digits/write_png.h"

namespace skiff::digits {
namespace {

using tasks::Image;
using tasks::ImageLabel;
using tasks::ImageLabeler;
using tasks::PixelFormat;

const std::string folder = "examples/digits/";
const std::string files[] = {"digits_v1_float.tflite", "digits_v1_int8.tflite",
                             "digits_v2_float.tflite", "digits_v2_int8.tflite"};
const char* const words[] = {"zero", "one", "two",   "three", "four",
                             "five", "six", "seven", "eight", "nine"};

std::unique_ptr<ImageLabeler> labeler_of(const std::string& file) {
    const auto model = model::Model::load_file(folder + file).value();
    auto engine = runtime::create_engine("skiff", model, {}).value();
    return ImageLabeler::create(std::move(engine), model::read_metadata(*model).value()).value();
}

ImageLabel first(ImageLabeler& labeler, const Image& image) {
    return labeler.process(image).value().at(0);
}

// "| digits_v1_float.tflite | 80.6 % |" in the README.
double promised_percent(const std::string& file) {
    const std::string readme = read_file(folder + "README.md").value();
    std::smatch match;
    const bool found =
        std::regex_search(readme, match, std::regex("`" + file + "`[^\n]*\\| ([0-9.]+) % \\|"));
    EXPECT_TRUE(found) << file;
    return found ? std::stod(match[1]) : 0;
}

// 1,000 pictures of a seed that training never saw: the promise may differ by what chance does
// (three deviations).
TEST(Digits, AccuracyIsWhatTheReadmePromises) {
    constexpr int pictures = 1000;
    for (const std::string& file : files) {
        const auto labeler = labeler_of(file);
        Random random(987654);
        int right = 0;
        for (int i = 0; i < pictures; ++i) {
            const Sample sample = draw_any(random);
            const Image image{sample.picture, PixelFormat::gray, side, side};
            right += first(*labeler, image).index == sample.digit;
        }
        const double promised = promised_percent(file), got = 100.0 * right / pictures;
        const double deviation = std::sqrt(promised * (100 - promised) / pictures);
        EXPECT_NEAR(got, promised, 3 * deviation) << file;
    }
}

TEST(Digits, TheTestPicturesAreReadAsTheirNamesSay) {
    const auto names = list_folder(folder + "images").value();
    EXPECT_EQ(names.size(), 12u);
    for (const std::string& file : files) {
        const auto labeler = labeler_of(file);
        const bool small = file.find("v1") != std::string::npos;
        for (const std::string& name : names) {
            const std::string png = read_file(folder + "images/" + name).value();
            const bool hard = name.starts_with("hard_");
            const int digit = name[name.find('.') - 1] - '0';
            const ImageLabel label = first(*labeler, {as_bytes(png)});
            if (small && hard)
                EXPECT_NE(label.index, digit) << file << " " << name;
            else
                EXPECT_EQ(label.text, words[digit]) << file << " " << name;
        }
    }
}

// What the committed models were trained on; no compiler may draw anything else.
TEST(Digits, DrawingsAreTheSameUnderEveryCompiler) {
    Random random(7);
    std::vector<std::uint8_t> drawn;
    for (int i = 0; i < 300; ++i) {
        const Picture picture = draw_any(random).picture;
        drawn.insert(drawn.end(), picture.begin(), picture.end());
    }
    EXPECT_EQ(sha256_hex(drawn),
              "51b5e31941a4e97705f0cac3a40e1ca9ef24fd662bd43cd95791da6506ca576b");
}

TEST(Digits, AllFilesTogetherStaySmall) {
    std::uint64_t bytes = 0;
    for (const std::string& file : files) bytes += file_size(folder + file).value();
    const auto pictures = list_folder(folder + "images").value();
    for (const std::string& name : pictures) bytes += file_size(folder + "images/" + name).value();
    EXPECT_LT(bytes, 200'000u);
}

TEST(Digits, OwnPngsAreRead) {
    Random random(1);
    const Picture picture = draw(4, random);
    const auto pixels = tasks::load_pixels({write_png(picture)});
    ASSERT_TRUE(pixels.ok()) << pixels.error().message;
    ASSERT_EQ(pixels->width, side);
    for (std::size_t i = 0; i < pixels->rgb.size(); ++i) EXPECT_EQ(pixels->rgb[i], picture[i / 3]);
}

}  // namespace
}  // namespace skiff::digits
