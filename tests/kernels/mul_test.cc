#include "tests/kernels/binary_case.h"

namespace skiff::kernels::testing {

namespace {

using reference::Random;

float ratio_of(const BinaryCase& c) {
    volatile float product = c.a_scale * c.b_scale;
    volatile float ratio = product / c.output.scale;
    return ratio;
}

bool is_accelerated(const BinaryCase& c) {
    return ratio_of(c) >= 1.f / 65536 && c.shapes.output.rank() <= 6;
}

int product(const BinaryCase& c, int a, int b) {
    const std::int64_t exact = std::int64_t{a - c.a_zero} * (b - c.b_zero);
    if (is_accelerated(c)) return reference::accelerated(exact, c.a_scale, c.b_scale, c.output);
    return reference::clip(
        static_cast<double>(reference::scale(exact, ratio_of(c))) + c.output.zero_point,
        reference::bound_away(c.output, reference::activation_lo(c.activation)),
        reference::bound_away(c.output, reference::activation_hi(c.activation)));
}

template <typename T>
void check(Random& random, const BinaryCase& c, ThreadPool* pool = nullptr) {
    check_binary<T>(
        random, Opcode::mul, c, [&](int a, int b) { return product(c, a, b); }, pool);
}

// A case whose product of scales is the output's times a ratio between the powers given.
BinaryCase with_ratio(Random& random, DType dtype, int max_rank, float lo_log2, float hi_log2) {
    BinaryCase c = random_case(random, dtype, max_rank, -3, 3);
    c.output.scale = c.a_scale * c.b_scale /
                     reference::random_scale(random, std::exp2(lo_log2), std::exp2(hi_log2));
    return c;
}

TEST(Mul, AcceleratedRule) {
    Random random(1);
    for (int i = 0; i < 400; ++i) {
        check<std::int8_t>(random, with_ratio(random, DType::int8, 6, -9, -3));
        check<std::uint8_t>(random, with_ratio(random, DType::uint8, 6, -9, -3));
        check<std::int8_t>(random, with_ratio(random, DType::int8, 4, -15.9f, 7.4f));
        check<std::uint8_t>(random, with_ratio(random, DType::uint8, 4, -15.9f, 7.4f));
    }
}

TEST(Mul, BuiltinRuleBelow2ToTheMinus16AndAboveRank6) {
    Random random(2);
    for (int i = 0; i < 200; ++i) {
        check<std::int8_t>(random, with_ratio(random, DType::int8, 4, -20, -16.1f));
        check<std::uint8_t>(random, with_ratio(random, DType::uint8, 4, -20, -16.1f));
        BinaryCase deep = with_ratio(random, DType::uint8, 0, -9, -3);
        deep.shapes = {{2, 1, 2, 1, 2, 1, 9}, {1, 2, 1, 2, 1, 2, 9}, {2, 2, 2, 2, 2, 2, 9}};
        check<std::uint8_t>(random, deep);
    }
}

TEST(Mul, TakesRatiosFrom2ToTheMinus16) {
    Random random(3);
    BinaryCase c{{{256}, {256}, {256}},
                 Activation::none,
                 1,
                 0x1p-16f,
                 -128,
                 -128,
                 {DType::int8, 1.f, 0, Activation::none},
                 false};
    for (int i = 0; i < 20; ++i) check<std::int8_t>(random, c);  // 2^15 * ratio is a tie
    c.b_scale = 0x1.fffffep-17f;
    for (int i = 0; i < 20; ++i) check<std::int8_t>(random, c);
}

TEST(Mul, TiesGoToEven) {
    KernelTester t(Opcode::mul, ElementwiseParams{});
    t.input(Shape{4}, std::vector<std::int8_t>{1, 3, -1, -3}, quantization(0.5f, 0));
    t.input(Shape{4}, std::vector<std::int8_t>{1, 1, 1, 1}, quantization(1, 0));
    t.output(DType::int8, quantization(1, 0));
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<std::int8_t>(), (std::vector<std::int8_t>{0, 2, 0, -2}));
}

// The library squares: v * v / scale + zero point is rounded to even, so an odd zero point turns
// ties up that the product's rule takes down.
TEST(Mul, ATensorTimesItselfIsSquared) {
    const std::vector<std::uint8_t> x{128, 136, 120, 152};
    for (const bool same : {true, false}) {
        KernelTester t(Opcode::mul, ElementwiseParams{});
        t.input(Shape{4}, x, quantization(0x1p-8f, 128));
        if (same)
            t.repeat_input(0);
        else
            t.input(Shape{4}, x, quantization(0x1p-8f, 128));
        t.output(DType::uint8, quantization(0x1p-9f, 35));
        ASSERT_TRUE(t.run());
        // 35, 35.5, 35.5, 39.5
        const auto expected = same ? std::vector<std::uint8_t>{35, 36, 36, 40}
                                   : std::vector<std::uint8_t>{35, 35, 35, 39};
        EXPECT_EQ(t.values<std::uint8_t>(), expected);
    }
}

TEST(Mul, Floats) {
    Random random(4);
    for (int i = 0; i < 150; ++i) {
        const BinaryShapes s = random_shapes(random, 8);
        const auto activation = static_cast<Activation>(i % 4);
        const auto a = random.reals(s.a.elements(), -3, 3), b = random.reals(s.b.elements(), -3, 3);
        KernelTester t(Opcode::mul, ElementwiseParams{activation});
        t.input(s.a, a), t.constant(s.b, b), t.output(DType::float32);
        ASSERT_TRUE(t.run());
        EXPECT_EQ(t.shape(), s.output);
        EXPECT_EQ(t.values<float>(), broadcast_each(s, a, b, [&](float x, float y) {
                      const double p = x * y;
                      return std::max(reference::activation_lo(activation),
                                      std::min(reference::activation_hi(activation), p));
                  }));
    }
}

TEST(Mul, PlainIntegersWrap) {
    const std::int32_t max = INT32_MAX, min = INT32_MIN;
    KernelTester t(Opcode::mul, ElementwiseParams{});
    t.input(Shape{4}, std::vector<std::int32_t>{max, min, -7, 65536});
    t.input(Shape{4}, std::vector<std::int32_t>{2, -1, 2, 65536});
    t.output(DType::int32);
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<std::int32_t>(), (std::vector<std::int32_t>{-2, min, -14, 0}));

    KernelTester wide(Opcode::mul, ElementwiseParams{Activation::relu6});
    wide.input(Shape{3}, std::vector<std::int64_t>{INT64_MAX, 2, -7});
    wide.input(Shape{1}, std::vector<std::int64_t>{2});
    wide.output(DType::int64);
    ASSERT_TRUE(wide.run());
    EXPECT_EQ(wide.values<std::int64_t>(), (std::vector<std::int64_t>{0, 4, 0}));
}

TEST(Mul, RefusesRatiosTheJudgeGetsWrong) {
    for (const float scale : {256.f, 1e30f, 3e38f}) {
        KernelTester t(Opcode::mul, ElementwiseParams{});
        t.input(Shape{1}, std::vector<std::int8_t>{1}, quantization(scale, 0));
        t.input(Shape{1}, std::vector<std::int8_t>{1}, quantization(scale == 256.f ? 1 : scale, 0));
        t.output(DType::int8, quantization(1, 0));
        EXPECT_TRUE(t.refuses(Code::unimplemented));
    }
    KernelTester zero_point(Opcode::mul, ElementwiseParams{});
    zero_point.input(Shape{1}, std::vector<std::int8_t>{1}, quantization(1, 128));
    zero_point.input(Shape{1}, std::vector<std::int8_t>{1}, quantization(1, 0));
    zero_point.output(DType::int8, quantization(1, 0));
    EXPECT_TRUE(zero_point.refuses(Code::invalid_argument));
}

}  // namespace

}  // namespace skiff::kernels::testing
