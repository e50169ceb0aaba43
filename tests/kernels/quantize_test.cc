// QUANTIZE and DEQUANTIZE.
#include "tests/kernels/elementwise_reference.h"

namespace skiff::kernels::testing {

namespace {

using reference::Random;

// Floats around the steps of `scale`: many on ties, some far out, some not numbers.
std::vector<float> floats_to_quantize(Random& random, int n, float scale) {
    std::vector<float> values;
    for (int i = 0; i < n; ++i) {
        const int kind = random.integer(0, 9);
        if (kind < 5)
            values.push_back(static_cast<float>(random.integer(-600, 600)) * 0.5f * scale);
        else if (kind < 9)
            values.push_back(random.real(-300, 300) * scale);
        else
            values.push_back(
                std::vector<float>{INFINITY, -INFINITY, NAN, 3e9f,
                                   -3e38f}[static_cast<std::size_t>(random.integer(0, 4))]);
    }
    return values;
}

template <typename T>
void check_from_float(Random& random) {
    const DType dtype = dtype_of<T>();
    const int lo = reference::lowest(dtype), hi = reference::highest(dtype);
    const float so = reference::random_scale(random, 0.003f, 2);
    const int zo = random.zero_point(lo, hi), n = random.integer(1, 300);
    const auto x = floats_to_quantize(random, n, so);
    KernelTester t(Opcode::quantize, {});
    t.input(Shape{n}, x), t.output(dtype, quantization(so, zo));
    ASSERT_TRUE(t.run());
    std::vector<T> wanted;
    for (const float v : x) {
        volatile float inverse = 1.f / so;
        volatile float scaled = v * inverse;
        wanted.push_back(static_cast<T>(
            std::isnan(v)
                ? hi
                : reference::clip(std::nearbyint(static_cast<double>(scaled)) + zo, lo, hi)));
    }
    EXPECT_EQ(t.values<T>(), wanted) << so << ' ' << zo;
}

TEST(Quantize, FloatsToBytes) {
    Random random(1);
    for (int i = 0; i < 300; ++i) {
        check_from_float<std::int8_t>(random);
        check_from_float<std::uint8_t>(random);
    }
}

TEST(Quantize, FloatsToInt16InBlocksOf8) {
    Random random(2);
    for (int i = 0; i < 400; ++i) {
        const float so = reference::random_scale(random, 0.0001f, 0.01f);
        const int zo = random.chance(70) ? 0 : random.integer(-100, 100), n = random.integer(1, 40);
        auto x = floats_to_quantize(random, n, so);
        if (random.chance(30))
            for (float& v : x) v *= 100;  // to the ends of the range
        KernelTester t(Opcode::quantize, {});
        t.input(Shape{n}, x), t.output(DType::int16, quantization(so, zo));
        ASSERT_TRUE(t.run());
        std::vector<std::int16_t> wanted;
        for (int j = 0; j < n; ++j) {
            const float v = x[static_cast<std::size_t>(j)];
            volatile float inverse = 1.f / so;
            volatile float scaled = v * inverse;
            const double rounded = j < n / 8 * 8 ? std::nearbyint(static_cast<double>(scaled))
                                                 : std::round(static_cast<double>(v) / so);
            // What does not fit 32 bits became the lowest of them in the conversion.
            const bool fits = std::abs(rounded) < 2147483648.0;
            wanted.push_back(static_cast<std::int16_t>(
                fits ? reference::clip(rounded + zo, -32768, 32767) : -32768));
        }
        EXPECT_EQ(t.values<std::int16_t>(), wanted) << so;
    }
}

// The three rules between bytes.
int converted(float si, int distance, float so, bool same_type, bool in_block) {
    volatile float ratio = si / so;
    if (same_type && ratio >= 1.f / 256 && ratio <= 128) {
        const auto m = static_cast<std::int64_t>(std::nearbyint(256.0 * ratio));
        return static_cast<int>(reference::floor_divide(distance * m + 128, 256));
    }
    const double exact = static_cast<double>(si) / static_cast<double>(so);
    return static_cast<int>(reference::scale(distance, exact, in_block));
}

template <typename In, typename Out>
void check_bytes(Random& random, float lo_ratio, float hi_ratio, ThreadPool* pool = nullptr) {
    const DType in = dtype_of<In>(), out = dtype_of<Out>();
    const int lo = reference::lowest(out), hi = reference::highest(out);
    float so = reference::random_scale(random, 0.01f, 0.5f);
    float si = so * reference::random_scale(random, lo_ratio, hi_ratio);
    if (random.chance(40))  // ratios that give ties
        si = so * static_cast<float>(random.integer(1, 15)) /
             static_cast<float>(1 << random.integer(0, 4));
    const int zi = random.zero_point(reference::lowest(in), reference::highest(in));
    const int zo = random.zero_point(lo, hi);
    auto x = reference::all_stored<In>(random);
    x.resize(static_cast<std::size_t>(random.integer(1, 256)));
    const auto n = static_cast<int>(x.size());
    KernelTester t(Opcode::quantize, {});
    t.input(Shape{n}, x, quantization(si, zi)), t.output(out, quantization(so, zo));
    ASSERT_TRUE(t.run(pool));
    std::vector<Out> wanted;
    for (int i = 0; i < n; ++i) {
        const int distance = int{x[static_cast<std::size_t>(i)]} - zi;
        const double y = converted(si, distance, so, in == out, i < n / 16 * 16);
        wanted.push_back(static_cast<Out>(reference::clip(y + zo, lo, hi)));
    }
    EXPECT_EQ(t.values<Out>(), wanted) << si << ' ' << zi << ' ' << so << ' ' << zo;
}

TEST(Quantize, BytesToBytes) {
    Random random(3);
    for (int i = 0; i < 300; ++i)
        for (const auto& [lo, hi] : {std::pair(0.2f, 5.f), {0x1p-12f, 0x1p12f}}) {
            check_bytes<std::int8_t, std::int8_t>(random, lo, hi);
            check_bytes<std::uint8_t, std::uint8_t>(random, lo, hi);
            check_bytes<std::int8_t, std::uint8_t>(random, lo, hi);
            check_bytes<std::uint8_t, std::int8_t>(random, lo, hi);
        }
}

// Chunks of threads must not move the border between blocks and tail.
TEST(Quantize, BlocksOnThreads) {
    Random random(4);
    ThreadPool pool(3);
    const auto x = random.stored<std::int8_t>(100007, -128, 127);
    KernelTester t(Opcode::quantize, {});
    t.input(Shape{100007}, x, quantization(0.5f, 0)), t.output(DType::uint8, quantization(1, 128));
    ASSERT_TRUE(t.run(&pool));
    const auto y = t.values<std::uint8_t>();
    for (std::size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(int{y[i]}, converted(0.5f, x[i], 1, false, i < 100007 / 16 * 16) + 128) << i;
}

TEST(Quantize, Refuses) {
    const auto from_float = [](DType out, OwnedQuantization q, Code code) {
        KernelTester t(Opcode::quantize, {});
        t.input(Shape{1}, std::vector<float>(1)), t.output(out, std::move(q));
        EXPECT_TRUE(t.refuses(code));
    };
    from_float(DType::int8, {}, Code::invalid_argument);
    from_float(DType::int8, quantization(0, 0), Code::invalid_argument);
    from_float(DType::int8, quantization(1e-44f, 0), Code::invalid_argument);
    from_float(DType::uint8, quantization(1, -1), Code::invalid_argument);
    from_float(DType::int32, quantization(1, 0), Code::unimplemented);
    KernelTester wide(Opcode::quantize, {});
    wide.input(Shape{1}, std::vector<std::int16_t>(1), quantization(1, 0));
    wide.output(DType::int8, quantization(1, 0));
    EXPECT_TRUE(wide.refuses(Code::unimplemented));
}

template <typename T>
void check_dequantize(Random& random, int lo, int hi) {
    const float si = reference::random_scale(random, 0.001f, 4);
    const int zi = random.zero_point(lo, hi), n = random.integer(0, 500);
    const auto x = random.stored<T>(n, lo, hi);
    KernelTester t(Opcode::dequantize, {});
    t.input(Shape{n}, x, quantization(si, zi)), t.output(DType::float32);
    ASSERT_TRUE(t.run());
    std::vector<float> wanted;
    for (const T v : x) wanted.push_back(static_cast<float>(v - zi) * si);
    EXPECT_EQ(t.values<float>(), wanted);
}

TEST(Dequantize, Integers) {
    Random random(5);
    for (int i = 0; i < 60; ++i) {
        check_dequantize<std::int8_t>(random, -128, 127);
        check_dequantize<std::uint8_t>(random, 0, 255);
        check_dequantize<std::int16_t>(random, -32768, 32767);
    }
}

TEST(Dequantize, PerChannel) {
    Random random(6);
    for (int axis = 0; axis < 3; ++axis) {
        const Shape shape{3, 4, 5};
        OwnedQuantization q;
        q.axis = axis;
        for (int c = 0; c < shape[axis]; ++c) {
            q.scales.push_back(random.real(0.01f, 2));
            q.zero_points.push_back(random.integer(0, 120));
        }
        const auto bytes = random.stored<std::uint8_t>(60, 0, 255);
        const auto chars = random.stored<std::int8_t>(60, -128, 127);
        KernelTester u(Opcode::dequantize, {}), s(Opcode::dequantize, {});
        u.input(shape, bytes, q), u.output(DType::float32);
        s.input(shape, chars, q), s.output(DType::float32);
        ASSERT_TRUE(u.run());
        ASSERT_TRUE(s.run());
        std::size_t i = 0;
        reference::for_each_index(shape, [&](const Shape& at) {
            const auto c = static_cast<std::size_t>(at[axis]);
            const auto zero = static_cast<int>(q.zero_points[c]);
            EXPECT_EQ(u.values<float>()[i], static_cast<float>(bytes[i] - zero) * q.scales[c]);
            EXPECT_EQ(s.values<float>()[i], static_cast<float>(chars[i] - zero) * q.scales[c]);
            ++i;
        });
    }
}

// Every one of the 65,536 halves, from its fields.
TEST(Dequantize, AllHalves) {
    std::vector<std::uint16_t> bits(65536);
    for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
    KernelTester t(Opcode::dequantize, {});
    t.input(Shape{65536}, bits), t.output(DType::float32);
    ASSERT_TRUE(t.run());
    const auto y = t.values<float>();
    for (int i = 0; i < 65536; ++i) {
        const int exponent = i >> 10 & 31, fraction = i & 1023;
        const float got = y[static_cast<std::size_t>(i)];
        const double sign = i < 32768 ? 1 : -1;
        ASSERT_EQ(std::signbit(got), i >= 32768) << i;
        if (exponent == 31 && fraction != 0)
            ASSERT_TRUE(std::isnan(got)) << i;
        else if (exponent == 31)
            ASSERT_EQ(got, sign * INFINITY);
        else if (exponent == 0)
            ASSERT_EQ(got, sign * fraction * std::exp2(-24.0)) << i;
        else
            ASSERT_EQ(got, sign * (1024 + fraction) * std::exp2(exponent - 25.0)) << i;
    }
}

TEST(Dequantize, Refuses) {
    const auto with = [](OwnedQuantization q, Code code) {
        KernelTester t(Opcode::dequantize, {});
        t.input(Shape{2, 3}, std::vector<std::int8_t>(6), std::move(q));
        t.output(DType::float32);
        EXPECT_TRUE(t.refuses(code));
    };
    with({}, Code::invalid_argument);
    with(quantization(NAN, 0), Code::invalid_argument);
    with({{1, 1}, {0, 0}, 1}, Code::invalid_argument);
    with({{1, 1}, {0, 0}, 2}, Code::invalid_argument);
    with({{1, 1}, {0, 0}, -1}, Code::invalid_argument);
    with({{1, 1}, {0}, 0}, Code::invalid_argument);
    with({{1, 0}, {0, 0}, 0}, Code::invalid_argument);
    with({{1, 1}, {0, 128}, 0}, Code::invalid_argument);
    KernelTester wide(Opcode::dequantize, {});
    wide.input(Shape{2}, std::vector<std::int16_t>(2), OwnedQuantization{{1, 2}, {0, 0}, 0});
    wide.output(DType::float32);
    EXPECT_TRUE(wide.refuses(Code::unimplemented));
    KernelTester other(Opcode::dequantize, {});
    other.input(Shape{2}, std::vector<std::int32_t>(2), quantization(1, 0));
    other.output(DType::float32);
    EXPECT_TRUE(other.refuses(Code::unimplemented));
}

}  // namespace

}  // namespace skiff::kernels::testing
