#include "tests/kernels/kernel_tester.h"
#include "tests/kernels/reference.h"

namespace skiff::kernels::testing {

namespace {

using reference::Axis;
using reference::Random;

struct PoolCase {
    Shape shape;
    Pool2dParams params;
    Axis y() const { return {shape[1], params.filter_h, params.stride_h, 1, params.padding}; }
    Axis x() const { return {shape[2], params.filter_w, params.stride_w, 1, params.padding}; }
};

PoolCase random_pool(Random& random) {
    PoolCase c;
    Pool2dParams& p = c.params;
    p.padding = random.chance(50) ? Padding::same : Padding::valid;
    p.filter_h = random.integer(1, 5), p.filter_w = random.integer(1, 5);
    p.stride_h = random.integer(1, 4), p.stride_w = random.integer(1, 4);
    p.activation = static_cast<Activation>(random.integer(0, 3));
    const bool valid = p.padding == Padding::valid;
    c.shape = Shape{random.integer(1, 2), random.integer(valid ? p.filter_h : 1, 12),
                    random.integer(valid ? p.filter_w : 1, 12),
                    random.chance(30) ? random.integer(60, 140) : random.integer(1, 20)};
    return c;
}

// For each output in order: finish(the input values under it).
template <typename Out, typename In, typename Finish>
std::vector<Out> pool(const PoolCase& c, const std::vector<In>& input, const Finish& finish) {
    std::vector<Out> values;
    const Pool2dParams& p = c.params;
    for (int b = 0; b < c.shape[0]; ++b)
        for (int oy = 0; oy < c.y().outputs; ++oy)
            for (int ox = 0; ox < c.x().outputs; ++ox)
                for (int k = 0; k < c.shape[3]; ++k) {
                    std::vector<In> under;
                    for (int dy = 0; dy < p.filter_h; ++dy)
                        for (int dx = 0; dx < p.filter_w; ++dx) {
                            const int iy = oy * p.stride_h - c.y().pad + dy;
                            const int ix = ox * p.stride_w - c.x().pad + dx;
                            if (iy < 0 || iy >= c.shape[1] || ix < 0 || ix >= c.shape[2]) continue;
                            const int at =
                                ((b * c.shape[1] + iy) * c.shape[2] + ix) * c.shape[3] + k;
                            under.push_back(input[static_cast<std::size_t>(at)]);
                        }
                    values.push_back(static_cast<Out>(finish(under)));
                }
    return values;
}

template <typename T>
void check_stored(Random& random, Opcode opcode, ThreadPool* threads) {
    const PoolCase c = random_pool(random);
    const DType dtype = dtype_of<T>();
    const int lo = reference::lowest(dtype), hi = reference::highest(dtype);
    const float scale = random.chance(50) ? std::exp2(static_cast<float>(random.integer(-7, 0)))
                                          : random.real(0.01f, 0.9f);
    const reference::Output out{dtype, scale, random.zero_point(lo, hi), c.params.activation};
    const auto input = random.stored<T>(c.shape.elements(), lo, hi);
    KernelTester t(opcode, c.params);
    t.input(c.shape, input, quantization(scale, out.zero_point));
    t.output(dtype, quantization(scale, out.zero_point));
    ASSERT_TRUE(t.run(threads));
    ASSERT_EQ(t.shape(), (Shape{c.shape[0], c.y().outputs, c.x().outputs, c.shape[3]}));
    const double from = reference::activation_lo(out.activation),
                 to = reference::activation_hi(out.activation);
    const auto expected = pool<T>(c, input, [&](const std::vector<T>& under) {
        if (opcode == Opcode::max_pool_2d) {
            const int most = *std::max_element(under.begin(), under.end());
            const bool skips =
                c.params.stride_h > c.params.filter_h || c.params.stride_w > c.params.filter_w;
            const auto bound = skips ? reference::bound_away : reference::bound_even;
            return std::min(std::max(most, bound(out, from)), bound(out, to));
        }
        int sum = 0;
        for (const T v : under) sum += v;
        const int n = static_cast<int>(under.size());
        const int mean = sum > 0 ? (sum + n / 2) / n : (sum - n / 2) / n;
        return std::min(std::max(mean, reference::bound_away(out, from)),
                        reference::bound_away(out, to));
    });
    ASSERT_EQ(t.values<T>(), expected);
}

void check_float(Random& random, Opcode opcode, ThreadPool* threads) {
    const PoolCase c = random_pool(random);
    const auto input = random.reals(c.shape.elements(), -9, 9);
    KernelTester t(opcode, c.params);
    t.input(c.shape, input);
    t.output(DType::float32);
    ASSERT_TRUE(t.run(threads));
    const auto expected = pool<double>(c, input, [&](const std::vector<float>& under) {
        double value = *std::max_element(under.begin(), under.end());
        if (opcode == Opcode::average_pool_2d) {
            value = 0;
            for (const float v : under) value += v;
            value /= static_cast<double>(under.size());
        }
        return std::clamp(value, reference::activation_lo(c.params.activation),
                          reference::activation_hi(c.params.activation));
    });
    const auto values = t.values<float>();
    ASSERT_EQ(values.size(), expected.size());
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(values[i], expected[i], 1e-5) << i;
}

TEST(Pool, IsExact) {
    Random random(401);
    ThreadPool threads(3);
    for (const Opcode opcode : {Opcode::average_pool_2d, Opcode::max_pool_2d})
        for (int i = 0; i < 200; ++i) {
            check_stored<std::int8_t>(random, opcode, i % 2 ? &threads : nullptr);
            check_stored<std::uint8_t>(random, opcode, i % 2 ? &threads : nullptr);
            check_float(random, opcode, i % 2 ? &threads : nullptr);
        }
}

// 1 / scale is 0.5: even is 0. A stride that leaves pixels out is not accelerated.
TEST(Pool, GoldenMaximumRoundsItsBounds) {
    for (const int stride : {1, 2}) {
        KernelTester t(Opcode::max_pool_2d, Pool2dParams{Padding::valid, stride, stride, 1, 1,
                                                         Activation::relu_n1_to_1});
        t.input(Shape{1, 1, 3, 1}, std::vector<std::int8_t>{-9, 0, 9}, quantization(2, 0));
        t.output(DType::int8, quantization(2, 0));
        ASSERT_TRUE(t.run());
        EXPECT_EQ(t.values<std::int8_t>(), stride == 1 ? (std::vector<std::int8_t>{0, 0, 0})
                                                       : (std::vector<std::int8_t>{-1, 1}));
    }
}

std::vector<std::int8_t> average(const std::vector<std::int8_t>& input, int width,
                                 OwnedQuantization in, OwnedQuantization out,
                                 Activation activation = Activation::none) {
    KernelTester t(Opcode::average_pool_2d,
                   Pool2dParams{Padding::valid, 1, width, 1, width, activation});
    t.input(Shape{1, 1, static_cast<std::int32_t>(input.size()), 1}, input, std::move(in));
    t.output(DType::int8, std::move(out));
    EXPECT_TRUE(t.run());
    return t.values<std::int8_t>();
}

TEST(Pool, GoldenAverageRoundsHalfAwayFromZeroOfStoredValues) {
    const auto q = [] { return quantization(1, 0); };
    EXPECT_EQ(average({1, 2, -1, -2, 3, 4, -3, -4}, 2, q(), q()),
              (std::vector<std::int8_t>{2, -2, 4, -4}));
    EXPECT_EQ(average({0, 0, 1, 0, 0, 2, 0, 0, -1, 0, -1, -1}, 3, q(), q()),
              (std::vector<std::int8_t>{0, 1, 0, -1}));
}

TEST(Pool, GoldenAverageTakesTheOutputsBoundsAndNoScale) {
    const auto y = average({100, 100, -100, -100, 7, 7}, 2, quantization(0.1f, 3),
                           quantization(0.5f, -5), Activation::relu6);
    EXPECT_EQ(y, (std::vector<std::int8_t>{7, -5, 7}));
}

TEST(Pool, Refusals) {
    using F = std::vector<float>;
    const auto status = [](Opcode opcode, const Shape& shape, Pool2dParams params, DType out) {
        KernelTester t(opcode, params);
        t.input(shape, F(static_cast<std::size_t>(shape.elements())));
        t.output(out);
        const Status s = t.prepare();
        return s.ok() ? Code::ok : s.error().code;
    };
    const Pool2dParams good{Padding::valid, 1, 1, 2, 2, Activation::none};
    for (const Opcode op : {Opcode::average_pool_2d, Opcode::max_pool_2d}) {
        EXPECT_EQ(status(op, {1, 4, 4, 1}, good, DType::float32), Code::ok);
        EXPECT_EQ(status(op, {1, 0, 4, 1}, {Padding::same, 1, 1, 2, 2, {}}, DType::float32),
                  Code::ok);
        EXPECT_EQ(status(op, {4, 4, 1}, good, DType::float32), Code::invalid_argument);
        EXPECT_EQ(status(op, {1, 1, 4, 1}, good, DType::float32), Code::invalid_argument);
        EXPECT_EQ(status(op, {1, 4, 4, 1}, good, DType::int8), Code::invalid_argument);
        EXPECT_EQ(status(op, {1, 4, 4, 1}, {Padding::same, 0, 1, 2, 2, {}}, DType::float32),
                  Code::invalid_argument);
        EXPECT_EQ(status(op, {1, 4, 4, 1}, {Padding::same, 1, 1, 2, 0, {}}, DType::float32),
                  Code::invalid_argument);
        EXPECT_EQ(
            status(op, {1, 4, 4, 1}, {Padding::same, 1, 1, 2, 2, Activation::tanh}, DType::float32),
            Code::unimplemented);
    }
    KernelTester t(Opcode::max_pool_2d, good);
    t.input(Shape{1, 2, 2, 1}, std::vector<std::int8_t>(4), quantization(1, 0));
    t.output(DType::int8, quantization(2, 0));
    EXPECT_TRUE(t.refuses(Code::invalid_argument));
    KernelTester wide(Opcode::average_pool_2d,
                      Pool2dParams{Padding::same, 1, 1, 2, 2147483647, {}});
    wide.input(Shape{1, 1, 1 << 24, 1}, std::vector<std::int8_t>{}, quantization(1, 0));
    wide.output(DType::int8, quantization(1, 0));
    EXPECT_TRUE(wide.refuses(Code::unimplemented));
}

}  // namespace

}  // namespace skiff::kernels::testing
