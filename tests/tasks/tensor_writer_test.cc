#include "tasks/tensor_writer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/tasks/fake_engine.h"
#include "tests/tasks/pictures.h"

namespace skiff::tasks {
namespace {

using model::Normalization;

std::vector<std::uint8_t> written(const runtime::TensorInfo& input, const Pixels& pixels,
                                  std::optional<Normalization> normalization) {
    const auto writer = TensorWriter::create(input, normalization);
    EXPECT_TRUE(writer.ok()) << writer.error().message;
    std::vector<std::uint8_t> tensor(input.bytes);
    if (writer.ok()) writer->write(pixels, tensor);
    return tensor;
}

// Every pixel value once in each channel, in different order.
Pixels all_values() {
    Pixels p{16, 16, {}};
    for (int i = 0; i < 256; ++i)
        for (const int v : {i, 255 - i, i * 7 % 256}) p.rgb.push_back(static_cast<std::uint8_t>(v));
    return p;
}

TEST(TensorWriter, Uint8IsRawWhateverTheNormalization) {
    const Pixels p = all_values();
    const auto input = tensor_info(DType::uint8, {1, 16, 16, 3}, {0.0078125f, 128});
    EXPECT_EQ(written(input, p, std::nullopt), p.rgb);
    EXPECT_EQ(written(input, p, Normalization{{127.5f}, {127.5f}}), p.rgb);
}

TEST(TensorWriter, FloatIsNormalizedPerChannelOrByOneForAll) {
    const Pixels p = all_values();
    const auto input = tensor_info(DType::float32, {1, 16, 16, 3});
    for (const Normalization& n :
         {Normalization{{127.5f}, {127.5f}}, Normalization{{1, 2, 3}, {4, 5, 6}},
          Normalization{{10}, {1, 2, 3}}}) {
        const auto bytes = written(input, p, n);
        for (std::size_t i = 0; i < p.rgb.size(); ++i) {
            float value;
            std::memcpy(&value, &bytes[4 * i], 4);
            const float mean = n.mean[n.mean.size() == 1 ? 0 : i % 3],
                        std = n.std[n.std.size() == 1 ? 0 : i % 3];
            EXPECT_EQ(value, (static_cast<float>(p.rgb[i]) - mean) / std);
        }
    }
}

TEST(TensorWriter, Int8IsQuantizedOrShifted) {
    const Pixels p = all_values();
    const auto input = tensor_info(DType::int8, {1, 16, 16, 3}, {0.02f, -5});
    const auto shifted = written(input, p, std::nullopt);
    const auto quantized = written(input, p, Normalization{{128}, {64}});
    for (std::size_t i = 0; i < p.rgb.size(); ++i) {
        EXPECT_EQ(static_cast<std::int8_t>(shifted[i]), p.rgb[i] - 128);
        const float real = (static_cast<float>(p.rgb[i]) - 128) / 64;
        const float q = std::nearbyint(real * (1 / 0.02f)) - 5;
        EXPECT_EQ(static_cast<std::int8_t>(quantized[i]), std::min(std::max(q, -128.0f), 127.0f));
    }
}

TEST(TensorWriter, OneChannelTakesTheLuma) {
    const auto input = tensor_info(DType::uint8, {1, 1, 4, 1});
    const Pixels p{4, 1, {255, 0, 0, 0, 255, 0, 0, 0, 255, 77, 77, 77}};
    EXPECT_EQ(written(input, p, std::nullopt), (File{76, 150, 29, 77}));
}

TEST(TensorWriter, ResizesToTheTensor) {
    const auto input = tensor_info(DType::uint8, {1, 2, 3, 3});  // height 2, width 3
    const Pixels p = quarters(12, 8);
    const auto bytes = written(input, p, std::nullopt);
    EXPECT_EQ(File(bytes.begin(), bytes.begin() + 3), (File{255, 0, 0}));
    EXPECT_EQ(File(bytes.begin() + 6, bytes.begin() + 9), (File{0, 255, 0}));
    EXPECT_EQ(File(bytes.begin() + 15, bytes.end()), (File{255, 255, 255}));
}

TEST(TensorWriter, RefusesWhatIsNoImageModel) {
    const Normalization good{{0}, {255}};
    const std::tuple<runtime::TensorInfo, std::optional<Normalization>, const char*> cases[] = {
        {tensor_info(DType::float32, {1, 8, 8, 3}), std::nullopt, "add NormalizationOptions"},
        {tensor_info(DType::float32, {1, 8, 8, 3}), Normalization{{0, 0}, {1}},
         "2 means and 1 deviations"},
        {tensor_info(DType::float32, {1, 8, 8, 3}), Normalization{{0}, {0}}, "not zero"},
        {tensor_info(DType::float32, {1, 8, 8, 3}), Normalization{{NAN}, {1}}, "finite"},
        {tensor_info(DType::float32, {1, 8, 8, 3}), Normalization{{}, {}}, "0 means"},
        {tensor_info(DType::float32, {1, 8, 8, 1}), Normalization{{1, 2, 3}, {1, 2, 3}},
         "each of 1 channels"},
        {tensor_info(DType::int8, {1, 8, 8, 3}), good, "lacks its quantization"},
        {tensor_info(DType::int16, {1, 8, 8, 3}), good, "uint8, float32 or int8"},
        {tensor_info(DType::float32, {1, 3, 8, 8}), good, "channels first"},
        {tensor_info(DType::float32, {1, 8, 8, 4}), good, "3 channels (RGB) or 1"},
        {tensor_info(DType::float32, {2, 8, 8, 3}), good, "[1,height,width,3] is needed"},
        {tensor_info(DType::float32, {1, 192}), good, "float32[1,192], and [1,height,width,3]"},
        {tensor_info(DType::uint8, {1, 1, 1, 3}), good, "not fixed"},
        {tensor_info(DType::uint8, {1, 100000, 100000, 3}), good, "too large"},
    };
    for (const auto& [input, normalization, part] : cases) {
        const auto writer = TensorWriter::create(input, normalization);
        ASSERT_FALSE(writer.ok()) << part;
        EXPECT_NE(writer.error().message.find(part), std::string::npos) << writer.error().message;
        EXPECT_EQ(writer.error().code, Code::invalid_argument);
    }
}

}  // namespace
}  // namespace skiff::tasks
