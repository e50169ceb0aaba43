// Argument values, seeded inputs, tables, rounds.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/hex.h"
#include "cli/arguments.h"
#include "cli/bench/rounds.h"
#include "cli/engine_choice.h"
#include "cli/progress.h"
#include "cli/random_input.h"
#include "cli/session.h"
#include "cli/table.h"

namespace skiff::cli {
namespace {

TEST(Dims, Read) {
    const std::pair<const char*, Shape> good[] = {
        {"1x224x224x3", {1, 224, 224, 3}},
        {"1,640", {1, 640}},
        {"7", {7}},
        {"0x3", {0, 3}},
        {"1x1x1x1x1x1x1x1", {1, 1, 1, 1, 1, 1, 1, 1}},
    };
    for (const auto& [text, shape] : good) {
        const auto parsed = parse_dims(text);
        ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.error().message;
        EXPECT_EQ(*parsed, shape) << text;
    }
}

TEST(Dims, Refused) {
    for (const char* text :
         {"", "x", "1x", "x1", "1xx2", "-1", "1x-3", "a", "1.5", "1 2", "99999999999",
          "1x1x1x1x1x1x1x1x1", "65536x65536", "2147483647x2147483647x2147483647x4"}) {
        const auto parsed = parse_dims(text);
        ASSERT_FALSE(parsed.ok()) << text;
        EXPECT_EQ(parsed.error().code, Code::invalid_argument);
        EXPECT_NE(parsed.error().message.find("\"" + std::string(text) + "\""), std::string::npos);
    }
}

TEST(InputArgument, Read) {
    const auto argument = parse_input_argument("serving_default_x:0=a=b.bin");
    ASSERT_TRUE(argument.ok());
    EXPECT_EQ(argument->input, "serving_default_x:0");
    EXPECT_EQ(argument->value, "a=b.bin");
    for (const char* text : {"", "=", "0=", "=file", "file.bin"})
        EXPECT_FALSE(parse_input_argument(text).ok()) << text;
}

TEST(EngineChoice, Checked) {
    for (const char* good : {"skiff", "litert", "tflite", "litert:/a/b.so", "tflite:x"})
        EXPECT_EQ(check_engine_choice(good), "") << good;
    for (const char* bad :
         {"", "litert:", "tflite:", "skiff:", "skiff:x", "onnx", "litertx", "LITERT"})
        EXPECT_NE(check_engine_choice(bad), "") << bad;
}

// Values of the documented generator (the corpus's gen_input.py), from splitmix64's published
// sequence for seed 0: e220a8397b1dcdaf, 6e789e6aa1b965f4, 06c45d188009454f.
TEST(RandomInput, FollowsTheDocumentedGenerator) {
    EXPECT_EQ(to_hex(random_values(DType::int8, 3, 0).value()), "e26e06");
    EXPECT_EQ(to_hex(random_values(DType::int16, 4, 0).value()), "20e2786e");
    EXPECT_EQ(to_hex(random_values(DType::boolean, 3, 0).value()), "010000");
    EXPECT_EQ(to_hex(random_values(DType::int32, 8, 0).value()),
              "0400000005000000");  // u >> 33, mod 8
    const auto floats = random_values(DType::float32, 8, 0).value();
    float values[2];
    std::memcpy(values, floats.data(), 8);
    EXPECT_FLOAT_EQ(values[0], static_cast<float>(0xe220a8397b1dcdafull >> 11) * 0x1p-53f * 2 - 1);
    EXPECT_LT(values[1], 0);
    EXPECT_EQ(random_values(DType::string, 1, 0).error().code, Code::unimplemented);
}

TEST(RandomInput, HalvesAreTheFloatsRounded) {
    const auto halves = random_values(DType::float16, 2000, 5).value();
    const auto floats = random_values(DType::float32, 4000, 5).value();
    for (std::size_t i = 0; i < 1000; ++i) {
        std::uint16_t half;
        float value;
        std::memcpy(&half, halves.data() + 2 * i, 2);
        std::memcpy(&value, floats.data() + 4 * i, 4);
        const int exponent = half >> 10 & 31, mantissa = half & 1023;
        const float magnitude = exponent == 0 ? std::ldexp(float(mantissa), -24)
                                              : std::ldexp(float(1024 + mantissa), exponent - 25);
        // Halves have 11 significant bits, and none below 2^-24.
        const int unit = std::max(std::ilogb(value) - 10, -24);
        EXPECT_EQ(half & 0x8000 ? -magnitude : magnitude,
                  std::ldexp(std::nearbyint(std::ldexp(value, -unit)), unit))
            << i;
    }
}

TEST(RandomInput, EveryInputOfEveryStepHasItsOwnSeed) {
    EXPECT_EQ(input_seed(5, 0, 0), 5u);
    EXPECT_EQ(input_seed(5, 2, 1), 5u + (2ull << 32) + (1ull << 16));
}

TEST(Rounds, Median) {
    EXPECT_EQ(median({3, 1, 2}), 2);
    EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
}

TEST(Rounds, RatioAboveOneMeansOursIsFaster) {
    const Ratio ratio = ratio_of_rounds({10, 10, 20}, {20, 21, 42});
    EXPECT_DOUBLE_EQ(ratio.median, 2.1);
    EXPECT_DOUBLE_EQ(ratio.min, 2.0);
    EXPECT_DOUBLE_EQ(ratio.max, 2.1);
    EXPECT_NEAR(ratio.spread(), 0.1 / 2.1, 1e-12);
}

TEST(Rounds, SpreadIsAllowedUpToATenth) {
    EXPECT_TRUE(check_spread({1.0, 0.96, 1.05}, 7).ok());
    EXPECT_TRUE(check_spread({2.0, 1.91, 2.1}, 7).ok());
    EXPECT_FALSE(check_spread({1.0, 0.94, 1.05}, 7).ok());
    // Two rounds of 20 % up and down do not cancel out.
    EXPECT_FALSE(check_spread(ratio_of_rounds({10, 10, 10}, {8, 10, 12}), 3).ok());
    EXPECT_EQ(
        check_spread({1.0, 0.9, 1.05}, 7).error().message,
        "no ratio: it varied by 15 % over 7 rounds, and above 10 % it measures the machine (try a "
        "quieter machine, or more --rounds)");
}

TEST(Rounds, LongEnoughAndBounded) {
    EXPECT_EQ(invocations_per_round(1'000'000, 200'000'000), 200);
    EXPECT_EQ(invocations_per_round(900'000'000, 200'000'000), 3);
    EXPECT_EQ(invocations_per_round(0, 200'000'000), 10'000);
}

TEST(TableText, NumbersToTheRightNamesToTheLeft) {
    Table table({"model", "values"});
    table.add({"a", "7"});
    table.add({"größer", "1,234"});
    EXPECT_EQ(table.text(), "model   values\na            7\ngrößer   1,234\n");
    EXPECT_EQ(table.csv(), "model,values\na,7\ngrößer,\"1,234\"\n");
}

TEST(TableText, CsvQuotes) {
    Table table({"a"});
    table.add({"say \"hi\"\nthere"});
    EXPECT_EQ(table.csv(), "a\n\"say \"\"hi\"\"\nthere\"\n");
}

TEST(Words, ErrorsAreOneLineAndNameAPlaceOnce) {
    const auto printed = [](const char* message) {
        testing::internal::CaptureStderr();
        print_error(message);
        return testing::internal::GetCapturedStderr();
    };
    const std::string place = "http://127.0.0.1:1/p/demo";
    EXPECT_EQ(printed((place + ": " + place + ": it is down\r\n(start it)").c_str()),
              "skiff: error: " + place + ": it is down  (start it)\n");
    EXPECT_EQ(printed((place + ": " + place + "/metadata/x: it broke off").c_str()),
              "skiff: error: " + place + "/metadata/x: it broke off\n");
    EXPECT_EQ(printed("digits: digits:1 waits"), "skiff: error: digits:1 waits\n");
    EXPECT_EQ(printed("a: b: c"), "skiff: error: a: b: c\n");
    EXPECT_EQ(printed("a: ab: c"), "skiff: error: a: ab: c\n");
}

TEST(Words, OfABar) {
    EXPECT_EQ(bytes_line(3'200'000, 10'000'000, 1.2e6), "3.2 MB of 10.0 MB, 32 %, 1.2 MB/s");
    EXPECT_EQ(bytes_line(999, 1000, 0), "999 B of 1.0 kB, 99 %");
    EXPECT_EQ(bytes_line(5, 0, 10), "5 B of 0 B, 10 B/s");
}

TEST(Words, Numbers) {
    EXPECT_EQ(with_commas(0), "0");
    EXPECT_EQ(with_commas(999), "999");
    EXPECT_EQ(with_commas(20020), "20,020");
    EXPECT_EQ(with_commas(-1234567), "-1,234,567");
    EXPECT_EQ(human_bytes(999), "999 B");
    EXPECT_EQ(human_bytes(1'290'000), "1.3 MB");
    EXPECT_EQ(human_bytes(999'999'999), "1.0 GB");
    EXPECT_EQ(human_time(1'320'000), "1.32 ms");
    EXPECT_EQ(human_time(950), "0.95 us");
}

}  // namespace
}  // namespace skiff::cli
