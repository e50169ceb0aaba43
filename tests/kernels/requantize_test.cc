#include "kernels/portable/requantize.h"

#include <gtest/gtest.h>

#include "kernels/portable/activation.h"
#include "kernels/portable/dynamic_range.h"
#include "kernels/portable/window.h"
#include "tests/kernels/reference.h"

namespace skiff::kernels {

TEST(Requantize, RoundsTiesToEven) {
    for (const auto& [x, y] : {std::pair{0.5f, 0},
                               {1.5f, 2},
                               {2.5f, 2},
                               {-0.5f, 0},
                               {-1.5f, -2},
                               {-2.5f, -2},
                               {0.49999997f, 0},
                               {0.50000006f, 1},
                               {-300.f, -300},
                               {2097151.5f, 2097152}})
        EXPECT_EQ(round_to_even(x), y) << x;
    reference::Random random(1);
    for (int i = 0; i < 100000; ++i) {
        const float x = random.real(-512, 512);
        ASSERT_EQ(round_to_even(x), static_cast<int>(std::nearbyint(x))) << x;
    }
}

TEST(Requantize, ScaleRatioRoundsTwice) {
    // In one step, or in doubles, the last bit differs.
    reference::Random random(2);
    int differ = 0;
    for (int i = 0; i < 1000; ++i) {
        const float a = random.real(0.001f, 1), b = random.real(0.001f, 1),
                    c = random.real(0.001f, 1);
        volatile float product = a * b;
        volatile float ratio = product / c;
        ASSERT_EQ(scale_ratio(a, b, c), ratio);
        differ += ratio != static_cast<float>(static_cast<double>(a) * b / c);
    }
    EXPECT_GT(differ, 50);
}

TEST(Requantize, RequantizerClipsThenRounds) {
    const Requantizer all({-128, 127}, 3);
    EXPECT_EQ(all(5, 0.5f), 2 + 3);  // 2.5
    EXPECT_EQ(all(7, 0.5f), 4 + 3);  // 3.5
    EXPECT_EQ(all(-5, 0.5f), -2 + 3);
    EXPECT_EQ(all(2147483647, 255.f), 127);
    EXPECT_EQ(all(-2147483647 - 1, 255.f), -128);
    EXPECT_EQ(all(16777217, 0.0000001f), 5);  // 1.6777216 rounds to 2
    // The sum is rounded to float32 before it is multiplied; without that the last two give 54
    // and 51.
    EXPECT_EQ(all(986328424, 0x1.daa3fap-25f), 55 + 3);
    EXPECT_EQ(all(848710826, 0x1.049ea8p-24f), 52 + 3);
    const Requantizer relu({3, 100}, 3);
    EXPECT_EQ(relu(-50, 1.f), 3);
    EXPECT_EQ(relu(500, 1.f), 100);
}

TEST(Requantize, FixedMultiplierHalvesAndSaturates) {
    const auto check = [](double d, std::int32_t mantissa, int exponent) {
        const FixedMultiplier m = fixed_multiplier(d);
        EXPECT_EQ(m.mantissa, mantissa) << d;
        EXPECT_EQ(m.exponent, exponent) << d;
    };
    check(0.5, 1 << 30, 0);
    check(1, 1 << 30, 1);
    check(0.25, 1 << 30, -1);
    check(0.75, 1610612736, 0);
    check(std::nextafter(1.0, 0.0), 1 << 30, 1);  // the mantissa rounds up to 2^31
    check(std::ldexp(0.5, -31), 1 << 30, -31);
    check(std::ldexp(0.5, -32), 0, 0);
    check(0, 0, 0);
    check(1e30, 2147483647, 30);
}

TEST(Requantize, TiesUpAndTiesAwayDifferBelowZero) {
    const FixedMultiplier quarter = fixed_multiplier(0.25);
    EXPECT_EQ(scale_ties_up(-2, quarter), 0);
    EXPECT_EQ(scale_ties_away(-2, quarter), -1);
    EXPECT_EQ(scale_ties_up(2, quarter), 1);
    EXPECT_EQ(scale_ties_away(2, quarter), 1);
    EXPECT_EQ(scale_ties_up(-6, quarter), -1);
    EXPECT_EQ(scale_ties_away(-6, quarter), -2);
    // Both round twice: 0.375 of 1 is 0.75 / 2, and 0.75 rounds to 1 first.
    EXPECT_EQ(scale_ties_up(1, fixed_multiplier(0.375)), 1);
    EXPECT_EQ(scale_ties_away(1, fixed_multiplier(0.375)), 1);
    EXPECT_EQ(shift_ties_away(-1, 31), 0);
    EXPECT_EQ(shift_ties_away(-2147483647 - 1, 31), -1);
    EXPECT_EQ(shift_ties_up(2147483647, 31), 1);
    EXPECT_EQ(shift_ties_away(-5, 0), -5);
}

TEST(Requantize, BuiltinScalingFollowsTheReference) {
    reference::Random random(3);
    for (int i = 0; i < 200000; ++i) {
        const float scale =
            std::ldexp(random.chance(50) ? 1.f : random.real(0.5f, 1), random.integer(-34, 4));
        const auto sum = static_cast<std::int32_t>(random.engine()) >> random.integer(0, 31);
        const reference::Output output{DType::uint8, 1.f, 128, Activation::none};
        const FixedMultiplier factor = fixed_multiplier(scale);
        const auto clip = [](std::int64_t y) {
            return static_cast<int>(std::clamp<std::int64_t>(y + 128, 0, 255));
        };
        ASSERT_EQ(clip(scale_ties_up(sum, factor)), reference::builtin(sum, 1, scale, true, output))
            << sum << " " << scale;
        ASSERT_EQ(clip(scale_ties_away(sum, factor)),
                  reference::builtin(sum, 1, scale, false, output))
            << sum << " " << scale;
    }
}

TEST(Activation, BoundsOnStoredValues) {
    const auto even = [](Activation a, float scale, int zero_point, DType type) {
        const IntegerRange r =
            stored_activation(float_activation(a).value(), scale, zero_point, type);
        return std::pair{r.lo, r.hi};
    };
    const auto away = [](Activation a, float scale, int zero_point, DType type) {
        const IntegerRange r =
            builtin_activation(float_activation(a).value(), scale, zero_point, type);
        return std::pair{r.lo, r.hi};
    };
    EXPECT_EQ(even(Activation::none, 0.1f, 5, DType::int8), std::pair(-128, 127));
    EXPECT_EQ(even(Activation::relu, 0.1f, 5, DType::int8), std::pair(5, 127));
    EXPECT_EQ(even(Activation::relu6, 0.1f, 5, DType::uint8), std::pair(5, 65));
    EXPECT_EQ(even(Activation::relu6, 0.01f, 5, DType::uint8), std::pair(5, 255));
    // 6 / 2.4 = 2.5 and 1 / 0.4 = 2.5: to even after the zero point, or away from zero before it.
    EXPECT_EQ(even(Activation::relu6, 2.4f, 0, DType::uint8), std::pair(0, 2));
    EXPECT_EQ(away(Activation::relu6, 2.4f, 0, DType::uint8), std::pair(0, 3));
    EXPECT_EQ(even(Activation::relu_n1_to_1, 0.4f, 1, DType::int8), std::pair(-2, 4));
    EXPECT_EQ(away(Activation::relu_n1_to_1, 0.4f, 1, DType::int8), std::pair(-2, 4));
    EXPECT_EQ(away(Activation::none, 0.1f, 5, DType::uint8), std::pair(0, 255));
    EXPECT_FALSE(float_activation(Activation::tanh).ok());
    EXPECT_FALSE(float_activation(Activation::sign_bit).ok());
}

TEST(Window, SamePadsTheOddOneAfterTheImage) {
    const WindowAxis a = window_axis(5, 2, 1, 1, Padding::same).value();
    EXPECT_EQ(a.output, 5);
    EXPECT_EQ(a.pad, 0);
    EXPECT_EQ(a.inside(4).begin, 0);
    EXPECT_EQ(a.inside(4).end, 1);
    const WindowAxis b =
        window_axis(7, 3, 2, 3, Padding::same).value();  // extent 7, 4 outputs, 6 missing
    EXPECT_EQ(b.output, 4);
    EXPECT_EQ(b.pad, 3);
    EXPECT_EQ(b.inside(0).begin, 1);
    EXPECT_EQ(b.inside(0).end, 3);
    EXPECT_EQ(b.inside(3).end, 2);
    EXPECT_EQ(window_axis(6, 3, 2, 1, Padding::valid).value().output, 2);
    EXPECT_EQ(window_axis(0, 3, 2, 1, Padding::same).value().output, 0);
    EXPECT_FALSE(window_axis(2, 3, 1, 1, Padding::valid).ok());
    for (const auto& [filter, stride, dilation] :
         {std::tuple{0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {-1, 1, 1}})
        EXPECT_FALSE(window_axis(5, filter, stride, dilation, Padding::same).ok());
    // The largest a model can say neither overflows nor touches what is not there.
    const std::int64_t most = 2147483647;
    const WindowAxis wide = window_axis(most, most, 1, most, Padding::same).value();
    EXPECT_EQ(wide.output, most);
    for (const std::int64_t o : {std::int64_t{0}, most - 1})
        EXPECT_LE(wide.inside(o).end - wide.inside(o).begin, 2);
}

TEST(DynamicRange, GroupsRoundTiesToEven) {
    const float x[] = {0, 255, 0.5f, 1.5f, 2.5f, 254.5f, 0.49999997f, 3, 0.49999997f};
    std::int16_t q[9];
    EXPECT_EQ(quantize_group(x, 9, q), 1.f);
    EXPECT_EQ(std::vector(q, q + 9), (std::vector<std::int16_t>{0, 255, 0, 2, 2, 254, 0, 3, 0}));
    // The built-in rule rounds away from zero, whole eights by adding a half in float32.
    EXPECT_EQ(quantize_group_builtin(x, 9, q), 1.f);
    EXPECT_EQ(std::vector(q, q + 9), (std::vector<std::int16_t>{0, 255, 1, 2, 3, 255, 1, 3, 0}));
}

TEST(DynamicRange, TheZeroPointNearerItsEndIsTaken) {
    // What the official library gives where the other end would round to another zero point.
    const auto check = [](const std::vector<float>& x, const std::vector<std::int16_t>& y) {
        std::vector<std::int16_t> q(x.size());
        quantize_group(x.data(), static_cast<std::int64_t>(x.size()), q.data());
        EXPECT_EQ(q, y);
    };
    check({0x1.1f6ff4p+3f, -0x1.cb512ep+6f}, {18, -236});
    check({0x1.2ee232p+2f, -0x1.87e2c6p-1f}, {219, -36});
    check({0x1.65188ep+2f, -0x1.44ff56p+2f}, {134, -121});
}

TEST(DynamicRange, TheBuiltinRangeIsAFloat) {
    // What the official library gives where a range in double has another last bit, or another zero
    // point.
    const auto check = [](const std::vector<float>& x, const std::vector<std::int16_t>& y) {
        std::vector<std::int16_t> q(x.size());
        quantize_group_builtin(x.data(), static_cast<std::int64_t>(x.size()), q.data());
        EXPECT_EQ(q, y);
    };
    check({0x1.20667ep+2f, -0x1.6afc94p+3f, -0x1.e1548ap+1f, -0x1.a9a39ep+1f},
          {73, -182, -60, -53});
    check({0x1.6161b4p+2f, -0x1.ce1d4ep+2f, -0x1.1fd278p+0f, -0x1.895b62p+1f},
          {111, -144, -23, -62});
}

TEST(DynamicRange, SurvivesWhatIsNotANumber) {
    const float inf = INFINITY, nan = NAN;
    for (const std::vector<float>& x : {std::vector<float>{nan, nan},
                                        {inf, 1},
                                        {-inf, inf},
                                        {3e38f, -3e38f},
                                        {1e-45f, 0},
                                        {0, 0},
                                        {},
                                        {nan, 1, 2, 3, 4, 5, 6, 7, nan, inf}}) {
        std::vector<std::int16_t> q(x.size());
        quantize_group(x.data(), static_cast<std::int64_t>(x.size()), q.data());
        for (const int v : q) EXPECT_LE(std::abs(v), 255);
        quantize_group_builtin(x.data(), static_cast<std::int64_t>(x.size()), q.data());
        for (const int v : q) EXPECT_LE(std::abs(v), 255);
    }
}

}  // namespace skiff::kernels
