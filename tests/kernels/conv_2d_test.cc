#include "tests/kernels/conv_case.h"
#include "tests/kernels/hybrid_reference.h"

namespace skiff::kernels::testing {

namespace {

TEST(Conv2d, Int8IsExact) {
    Random random(101);
    ThreadPool pool(3);
    for (int i = 0; i < 300; ++i)
        check_stored<std::int8_t>(random, random_conv(random, DType::int8, false),
                                  i % 2 ? &pool : nullptr);
}

TEST(Conv2d, Uint8IsExact) {
    Random random(102);
    ThreadPool pool(3);
    for (int i = 0; i < 300; ++i)
        check_stored<std::uint8_t>(random, random_conv(random, DType::uint8, false),
                                   i % 2 ? &pool : nullptr);
}

TEST(Conv2d, WeightsOrBiasThatVaryRoundLikeTheBuiltinKernel) {
    Random random(103);
    for (int i = 0; i < 200; ++i) {
        ConvCase c = random_conv(random, i % 2 ? DType::int8 : DType::uint8, false);
        c.weights_constant = random.chance(50);
        c.bias_constant = !c.weights_constant && random.chance(50);
        if (c.dtype == DType::int8)
            check_stored<std::int8_t>(random, c, nullptr);
        else
            check_stored<std::uint8_t>(random, c, nullptr);
    }
}

TEST(Conv2d, FloatIsClose) {
    Random random(104);
    ThreadPool pool(2);
    for (int i = 0; i < 200; ++i)
        check_float(random, random_conv(random, DType::float32, false), random.chance(80),
                    i % 2 ? &pool : nullptr);
}

TEST(Conv2d, HybridQuantizesImagesAndPointwisePixels) {
    Random random(105);
    ThreadPool pool(3);
    for (int i = 0; i < 200; ++i) {
        const ConvCase c = random_conv(random, DType::int8, false);
        const bool pointwise = c.filter_h * c.filter_w * c.stride_h * c.stride_w == 1;
        const bool one_channel =
            c.group_channels == 1 && c.outputs * c.group_channels == c.channels;
        check_hybrid(random, c, pointwise && c.group_channels == c.channels && !one_channel,
                     i % 2 ? &pool : nullptr);
    }
}

// The library takes it for a depthwise convolution: the smaller image value is quantized with the
// larger one's scale.
TEST(Conv2d, HybridPointwiseOfOneChannelQuantizesImages) {
    KernelTester t(Opcode::conv_2d, Conv2dParams{});
    t.input(Shape{1, 1, 2, 1}, std::vector<float>{255, 0.7f});
    t.constant(Shape{1, 1, 1, 1}, std::vector<std::int8_t>{1}, quantization(1, 0));
    t.constant(Shape{1}, std::vector<float>{0});
    t.output(DType::float32);
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<float>(), (std::vector<float>{255, 1}));
}

// 1x1, one channel in and out, both scales 1: what is summed is what is scaled.
std::vector<std::int8_t> scaled(float output_scale, const std::vector<std::int8_t>& input, int bias,
                                bool constant_weights = true) {
    KernelTester t(Opcode::conv_2d, Conv2dParams{});
    t.input(Shape{1, 1, static_cast<std::int32_t>(input.size()), 1}, input, quantization(1, 0));
    if (constant_weights)
        t.constant(Shape{1, 1, 1, 1}, std::vector<std::int8_t>{1}, quantization(1, 0));
    else
        t.input(Shape{1, 1, 1, 1}, std::vector<std::int8_t>{1}, quantization(1, 0));
    t.constant(Shape{1}, std::vector<std::int32_t>{bias});
    t.output(DType::int8, quantization(output_scale, 0));
    EXPECT_TRUE(t.run());
    return t.values<std::int8_t>();
}

using Bytes8 = std::vector<std::int8_t>;

TEST(Conv2d, GoldenTies) {
    EXPECT_EQ(scaled(2, {-5, -3, -1, 0, 1, 3, 5, 7}, 0), (Bytes8{-2, -2, 0, 0, 0, 2, 2, 4}));
    EXPECT_EQ(scaled(4, {-10, -6, -2, 2, 6, 10}, 0), (Bytes8{-2, -2, 0, 0, 2, 2}));
    EXPECT_EQ(scaled(4, {-10, -6, -2, 2, 6, 10}, 0, false), (Bytes8{-2, -1, 0, 1, 2, 3}));
    EXPECT_EQ(scaled(0.5f, {63, 64, -64, -65}, 0), (Bytes8{126, 127, -128, -128}));
}

TEST(Conv2d, GoldenSumsWrapAndLoseLowBits) {
    // float32(2^24 + 1) is 2^24, 2^24 + 3 is 2^24 + 4.
    EXPECT_EQ(scaled(262144, {0, 1, 3}, 16777216 + 131072), (Bytes8{64, 64, 65}));
    EXPECT_EQ(scaled(33554432, {1, 0, 127}, 2147483647), (Bytes8{-64, 64, -64}));
}

TEST(Conv2d, ResizedAgainKeepsItsPackedWeights) {
    Random random(106);
    KernelTester t(Opcode::conv_2d, Conv2dParams{});
    const auto weights = random.stored<std::int8_t>(9, -3, 3);
    t.input(Shape{1, 2, 2, 1}, Bytes8{1, 2, 3, 4}, quantization(1, 0));
    t.constant(Shape{1, 3, 3, 1}, weights, quantization(1, 0));
    t.constant(Shape{1}, std::vector<std::int32_t>{7});
    t.output(DType::int8, quantization(1, 0));
    ASSERT_TRUE(t.run());
    const auto before = t.values<std::int8_t>();
    t.replace_input(0, Shape{2, 2, 2, 1}, Bytes8{1, 2, 3, 4, 1, 2, 3, 4});
    ASSERT_TRUE(t.run());
    auto twice = before;
    twice.insert(twice.end(), before.begin(), before.end());
    EXPECT_EQ(t.values<std::int8_t>(), twice);
}

TEST(Conv2d, EmptyImagesGiveEmptyOutputs) {
    for (const Shape& shape : {Shape{0, 4, 4, 1}, Shape{1, 0, 4, 1}, Shape{1, 4, 0, 1}}) {
        KernelTester t(Opcode::conv_2d, Conv2dParams{});
        t.input(shape, Bytes8{}, quantization(1, 0));
        t.constant(Shape{2, 1, 1, 1}, Bytes8{1, 2}, quantization(1, 0));
        t.constant(Shape{2}, std::vector<std::int32_t>{1, 2});
        t.output(DType::int8, quantization(1, 0));
        ASSERT_TRUE(t.run()) << shape.to_string();
        EXPECT_EQ(t.shape().elements(), 0);
    }
}

TEST(Conv2d, HugeDilationSeesOneTap) {
    KernelTester t(Opcode::conv_2d, Conv2dParams{Padding::same, 1, 1, 2147483647, 2147483647, {}});
    t.input(Shape{1, 2, 2, 1}, Bytes8{1, 2, 3, 4}, quantization(1, 0));
    t.constant(Shape{1, 3, 3, 1}, Bytes8{9, 9, 9, 9, 2, 9, 9, 9, 9}, quantization(1, 0));
    t.constant(Shape{1}, std::vector<std::int32_t>{0});
    t.output(DType::int8, quantization(1, 0));
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<std::int8_t>(), (Bytes8{2, 4, 6, 8}));
}

TEST(Conv2d, Int4WeightsLowHalfFirst) {
    KernelTester t(Opcode::conv_2d, Conv2dParams{});
    t.input(Shape{1, 1, 1, 3}, Bytes8{1, 10, 100}, quantization(1, 0));
    t.constant_bytes(Shape{1, 1, 1, 3}, DType::int4, {0xE1, 0x01}, quantization(1, 0));  // 1, -2, 1
    t.constant(Shape{1}, std::vector<std::int32_t>{0});
    t.output(DType::int8, quantization(1, 0));
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<std::int8_t>(), Bytes8{81});
}

TEST(Conv2d, LongRowsAreGatheredOneByOne) {
    KernelTester t(Opcode::conv_2d, Conv2dParams{Padding::valid, 1, 1, 1, 1, {}});
    const std::int32_t depth = 300000;
    t.input(Shape{1, 1, 3, depth}, std::vector<std::int8_t>(3 * depth, 2), quantization(1, 1));
    t.constant(Shape{2, 1, 1, depth}, std::vector<std::int8_t>(2 * depth, 3), quantization(1, 0));
    t.constant(Shape{2}, std::vector<std::int32_t>{0, -100000});
    t.output(DType::int8, quantization(10000, 0));
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<std::int8_t>(), (Bytes8{90, 80, 90, 80, 90, 80}));
    EXPECT_LT(t.context().scratch_bytes, std::size_t{5} << 20);
}

}  // namespace

}  // namespace skiff::kernels::testing
