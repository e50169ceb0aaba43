#include "tests/kernels/conv_case.h"
#include "tests/kernels/hybrid_reference.h"

namespace skiff::kernels::testing {

namespace {

using Bytes8 = std::vector<std::int8_t>;

TEST(DepthwiseConv2d, Int8IsExact) {
    Random random(201);
    ThreadPool pool(3);
    for (int i = 0; i < 300; ++i)
        check_stored<std::int8_t>(random, random_conv(random, DType::int8, true),
                                  i % 2 ? &pool : nullptr);
}

TEST(DepthwiseConv2d, Uint8IsExact) {
    Random random(202);
    ThreadPool pool(3);
    for (int i = 0; i < 300; ++i)
        check_stored<std::uint8_t>(random, random_conv(random, DType::uint8, true),
                                   i % 2 ? &pool : nullptr);
}

TEST(DepthwiseConv2d, WeightsOrBiasThatVaryRoundLikeTheBuiltinKernel) {
    Random random(203);
    for (int i = 0; i < 200; ++i) {
        ConvCase c = random_conv(random, i % 2 ? DType::int8 : DType::uint8, true);
        c.weights_constant = random.chance(50);
        c.bias_constant = !c.weights_constant && random.chance(50);
        if (c.dtype == DType::int8)
            check_stored<std::int8_t>(random, c, nullptr);
        else
            check_stored<std::uint8_t>(random, c, nullptr);
    }
}

TEST(DepthwiseConv2d, FloatIsClose) {
    Random random(204);
    ThreadPool pool(2);
    for (int i = 0; i < 200; ++i)
        check_float(random, random_conv(random, DType::float32, true), random.chance(80),
                    i % 2 ? &pool : nullptr);
}

TEST(DepthwiseConv2d, HybridQuantizesImages) {
    Random random(205);
    ThreadPool pool(3);
    for (int i = 0; i < 200; ++i) {
        ConvCase c = random_conv(random, DType::int8, true);
        c.weight_scales.resize(static_cast<std::size_t>(c.outputs), 0.017f);
        check_hybrid(random, c, false, i % 2 ? &pool : nullptr);
    }
}

TEST(DepthwiseConv2d, GoldenRoundingByEights) {
    // Nine channels, 1x1, sum / 4 of -2 and 2: the first eight round ties up, the ninth away from
    // zero.
    KernelTester t(Opcode::depthwise_conv_2d, DepthwiseConv2dParams{});
    t.input(Shape{1, 1, 2, 9},
            Bytes8{-2, -2, -2, -2, -2, -2, -2, -2, -2, 2, 2, 2, 2, 2, 2, 2, 2, 2},
            quantization(1, 0));
    t.input(Shape{1, 1, 1, 9}, Bytes8(9, 1), quantization(1, 0));
    t.constant(Shape{9}, std::vector<std::int32_t>(9, 0));
    t.output(DType::int8, quantization(4, 0));
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<std::int8_t>(),
              (Bytes8{0, 0, 0, 0, 0, 0, 0, 0, -1, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
}

TEST(DepthwiseConv2d, HugeDilationSeesOneTap) {
    KernelTester t(Opcode::depthwise_conv_2d,
                   DepthwiseConv2dParams{Padding::same, 1, 1, 2147483647, 2147483647, {}});
    t.input(Shape{1, 2, 2, 1}, Bytes8{1, 2, 3, 4}, quantization(1, 0));
    t.constant(Shape{1, 3, 3, 1}, Bytes8{9, 9, 9, 9, 2, 9, 9, 9, 9}, quantization(1, 0));
    t.constant(Shape{1}, std::vector<std::int32_t>{0});
    t.output(DType::int8, quantization(1, 0));
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<std::int8_t>(), (Bytes8{2, 4, 6, 8}));
}

TEST(DepthwiseConv2d, EmptyImagesGiveEmptyOutputs) {
    for (const Shape& shape : {Shape{0, 4, 4, 1}, Shape{1, 0, 4, 1}, Shape{1, 4, 0, 1}}) {
        KernelTester t(Opcode::depthwise_conv_2d, DepthwiseConv2dParams{});
        t.input(shape, Bytes8{}, quantization(1, 0));
        t.constant(Shape{1, 1, 1, 2}, Bytes8{1, 2}, quantization(1, 0));
        t.constant(Shape{2}, std::vector<std::int32_t>{1, 2});
        t.output(DType::int8, quantization(1, 0));
        ASSERT_TRUE(t.run()) << shape.to_string();
        EXPECT_EQ(t.shape().elements(), 0);
    }
}

}  // namespace

}  // namespace skiff::kernels::testing
