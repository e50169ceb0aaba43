#include "tests/kernels/elementwise_reference.h"

namespace skiff::kernels::testing {

namespace {

using reference::Random;

TEST(Softmax, Floats) {
    Random random(1);
    for (int i = 0; i < 200; ++i) {
        Shape shape;
        for (int d = random.integer(0, 3); d > 0; --d) shape.push_back(random.integer(1, 4));
        const int n = random.integer(1, 300);
        shape.push_back(n);
        const float beta = random.chance(50) ? 1 : random.real(0, 3);
        const auto x = random.reals(shape.elements(), -random.real(0, 90), random.real(0, 90));
        KernelTester t(Opcode::softmax, SoftmaxParams{beta});
        t.input(shape, x), t.output(DType::float32);
        ASSERT_TRUE(t.run());
        EXPECT_EQ(t.shape(), shape);
        const auto y = t.values<float>();
        for (std::size_t row = 0; row < x.size(); row += static_cast<std::size_t>(n)) {
            const auto first = x.begin() + static_cast<std::ptrdiff_t>(row);
            const double max = *std::max_element(first, first + n);
            double sum = 0;
            for (int j = 0; j < n; ++j) sum += std::exp(beta * (first[j] - max));
            for (int j = 0; j < n; ++j)
                EXPECT_NEAR(y[row + static_cast<std::size_t>(j)],
                            std::exp(beta * (first[j] - max)) / sum, 2e-6);
        }
    }
}

TEST(Softmax, NotANumberAndInfinity) {
    const std::vector<float> nan_rows[] = {
        {NAN, 1, 2}, {INFINITY, 1, 2}, {1, NAN, 2}, {-INFINITY, -INFINITY, -INFINITY}};
    for (const auto& row : nan_rows) {
        KernelTester t(Opcode::softmax, SoftmaxParams{1});
        t.input(Shape{3}, row), t.output(DType::float32);
        ASSERT_TRUE(t.prepare().ok());
        // Not through invoke(): it compares bytes, and NaNs have many.
        ASSERT_TRUE(t.run());
        for (const float y : t.values<float>()) EXPECT_TRUE(std::isnan(y));
    }
    KernelTester t(Opcode::softmax, SoftmaxParams{1});
    t.input(Shape{3}, std::vector<float>{-INFINITY, 3e38f, -3e38f}), t.output(DType::float32);
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<float>(), (std::vector<float>{0, 1, 0}));
}

template <typename T>
void check_stored(Random& random, ThreadPool* pool) {
    const DType dtype = dtype_of<T>();
    const bool is_int8 = dtype == DType::int8;
    const int lo = reference::lowest(dtype), hi = reference::highest(dtype);
    const int rows = random.integer(1, 6), n = random.integer(1, 400);
    const float si = reference::random_scale(random, 0.005f, 0.3f);
    const float beta = random.chance(50) ? 1 : random.real(0.3f, 2);
    const float so = is_int8 || random.chance(50) ? 1.f / 256 : random.real(0.002f, 0.02f);
    auto x = random.stored<T>(std::int64_t{rows} * n, lo, hi);
    if (random.chance(30))  // a few values near each other, so that no sum is that of one
        for (T& v : x) v = static_cast<T>(lo + 10 + random.integer(0, 20));
    KernelTester t(Opcode::softmax, SoftmaxParams{beta});
    t.input(Shape{rows, n}, x, quantization(si, random.zero_point(lo, hi)));
    t.output(dtype, quantization(so, is_int8 ? -128 : 0));
    ASSERT_TRUE(t.run(pool));
    std::vector<T> wanted;
    for (int row = 0; row < rows; ++row) {
        const T* in = x.data() + row * n;
        const int max = *std::max_element(in, in + n);
        const auto e = [&](T v) {
            volatile float step = -(si * beta);
            volatile float exponent = step * static_cast<float>(max - v);
            return static_cast<float>(std::exp(static_cast<double>(exponent)));
        };
        volatile float sum = 0;
        for (int i = 0; i < n; ++i) sum = sum + e(in[i]);
        volatile float scaled = sum * so;
        volatile float inverse = 1.f / scaled;
        for (int i = 0; i < n; ++i) {
            volatile float p = e(in[i]) * inverse;
            volatile float raised = p + 0.5f;
            wanted.push_back(static_cast<T>(
                is_int8 ? reference::clip(std::round(static_cast<double>(p)) - 128, -128, 127)
                        : reference::clip(std::trunc(static_cast<double>(raised)), 0, 255)));
        }
    }
    EXPECT_EQ(t.values<T>(), wanted) << n << " of scale " << si << " to " << so << " beta " << beta;
}

TEST(Softmax, StoredIntegers) {
    Random random(2);
    ThreadPool pool(2);
    for (int i = 0; i < 300; ++i) {
        check_stored<std::int8_t>(random, &pool);
        check_stored<std::uint8_t>(random, nullptr);
    }
}

// Two ones, and half a million values that each vanish in a sum that has the ones already.
TEST(Softmax, SumsInOrder) {
    std::vector<std::int8_t> x((1 << 19) + 2, -128);
    x[0] = x[1] = 127;
    KernelTester t(Opcode::softmax, SoftmaxParams{1});
    t.input(Shape{(1 << 19) + 2}, x, quantization(0.06524f, 0));  // exp(-255 * 0.06524) = 2^-24
    t.output(DType::int8, quantization(1.f / 256, -128));
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<std::int8_t>()[0], 0);  // half of 256
}

// 99.49999 by the inverse of the sum, 99.5 by division.
TEST(Softmax, MultipliesByTheInverse) {
    KernelTester t(Opcode::softmax, SoftmaxParams{1});
    t.input(Shape{2}, std::vector<std::int8_t>{1, 0}, quantization(0x1.cfc49ap-2f, 0));
    t.output(DType::int8, quantization(1.f / 256, -128));
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<std::int8_t>()[1], 99 - 128);
}

TEST(Softmax, NoColumns) {
    KernelTester t(Opcode::softmax, SoftmaxParams{1});
    t.input(Shape{3, 0}, std::vector<float>{}), t.output(DType::float32);
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.shape(), (Shape{3, 0}));
}

TEST(Softmax, Refuses) {
    KernelTester scalar(Opcode::softmax, SoftmaxParams{1});
    scalar.input(Shape{}, std::vector<float>(1)), scalar.output(DType::float32);
    EXPECT_TRUE(scalar.refuses(Code::invalid_argument));

    for (const float beta : {INFINITY, NAN}) {
        KernelTester t(Opcode::softmax, SoftmaxParams{beta});
        t.input(Shape{1}, std::vector<float>(1)), t.output(DType::float32);
        EXPECT_TRUE(t.refuses(Code::invalid_argument));
    }
    const auto int8 = [](float beta, float scale, int zero_point, Code code) {
        KernelTester t(Opcode::softmax, SoftmaxParams{beta});
        t.input(Shape{1}, std::vector<std::int8_t>(1), quantization(1, 0));
        t.output(DType::int8, quantization(scale, zero_point));
        EXPECT_TRUE(t.refuses(code));
    };
    int8(1, 1.f / 128, -128, Code::invalid_argument);
    int8(1, 1.f / 256, 0, Code::invalid_argument);
    int8(-1, 1.f / 256, -128, Code::unimplemented);

    // Extreme scales must not be undefined.
    KernelTester tiny(Opcode::softmax, SoftmaxParams{1});
    tiny.input(Shape{2}, std::vector<std::uint8_t>{0, 255}, quantization(3e38f, 0));
    tiny.output(DType::uint8, quantization(1e-44f, 0));
    EXPECT_TRUE(tiny.run());
}

}  // namespace

}  // namespace skiff::kernels::testing
