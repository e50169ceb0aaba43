#include "tests/kernels/elementwise_reference.h"

namespace skiff::kernels::testing {

namespace {

using reference::Random;

// The values of `parts` one after the other along `axis`, by coordinates.
template <typename T>
std::vector<T> joined(const Shape& output, int axis, const std::vector<Shape>& shapes,
                      const std::vector<std::vector<T>>& parts) {
    std::vector<T> values;
    reference::for_each_index(output, [&](const Shape& at) {
        Shape own = at;
        std::size_t i = 0;
        while (own[axis] >= shapes[i][axis]) own[axis] -= shapes[i++][axis];
        std::int64_t offset = 0;
        for (int d = 0; d < own.rank(); ++d) offset = offset * shapes[i][d] + own[d];
        values.push_back(parts[i][static_cast<std::size_t>(offset)]);
    });
    return values;
}

template <typename T>
void check_copy(Random& random, OwnedQuantization q, ThreadPool* pool = nullptr) {
    const int rank = random.integer(1, 6), axis = random.integer(0, rank - 1);
    const int count = random.integer(1, 12);
    Shape first;
    for (int i = 0; i < rank; ++i) first.push_back(random.integer(random.chance(95) ? 1 : 0, 5));
    std::vector<Shape> shapes;
    std::vector<std::vector<T>> parts;
    KernelTester t(Opcode::concatenation,
                   ConcatenationParams{random.chance(50) ? axis : axis - rank});
    Shape output = first;
    output[axis] = 0;
    for (int i = 0; i < count; ++i) {
        Shape shape = first;
        shape[axis] = random.integer(0, 6);
        output[axis] += shape[axis];
        shapes.push_back(shape);
        parts.push_back(random.stored<T>(shape.elements(), 0, 120));
        if (random.chance(20))
            t.constant(shape, parts.back(), q);
        else
            t.input(shape, parts.back(), q);
    }
    t.output(dtype_of<T>(), q);
    ASSERT_TRUE(t.run(pool));
    EXPECT_EQ(t.shape(), output);
    EXPECT_EQ(t.values<T>(), joined(output, axis, shapes, parts));
}

TEST(Concatenation, CopiesAllTypes) {
    Random random(1);
    ThreadPool pool(2);
    for (int i = 0; i < 60; ++i) {
        check_copy<float>(random, {}, &pool);
        check_copy<std::int8_t>(random, quantization(0.1f, -3));
        check_copy<std::uint8_t>(random, quantization(0.1f, 3));
        check_copy<std::uint8_t>(random, {});
        check_copy<std::int16_t>(random, quantization(0.1f, 0));
        check_copy<std::int32_t>(random, {});
        check_copy<std::int64_t>(random, {});
        check_copy<std::uint16_t>(random, {});
    }
}

// All 256 values of two inputs, of which one may have the output's scale.
TEST(Concatenation, ConvertsUint8OfAnotherScale) {
    Random random(2);
    for (int i = 0; i < 300; ++i) {
        const float so = reference::random_scale(random, 0.01f, 0.5f);
        const int zo = random.zero_point(0, 255);
        KernelTester t(Opcode::concatenation, ConcatenationParams{0});
        std::vector<std::uint8_t> wanted;
        for (int part = 0; part < 2; ++part) {
            const bool same = part == 1 && random.chance(50);
            const float si = same ? so : so * reference::random_scale(random, 0.2f, 5);
            const int zi = same ? zo : random.zero_point(0, 255);
            const auto values = reference::all_stored<std::uint8_t>(random);
            t.input(Shape{256}, values, quantization(si, zi));
            volatile float inverse = 1.f / so;
            volatile float k = si * inverse;
            volatile float offset = static_cast<float>(-zi) * k;
            for (const std::uint8_t x : values) {
                volatile float scaled = static_cast<float>(x) * k;
                volatile float y = scaled + offset;
                wanted.push_back(static_cast<std::uint8_t>(
                    si == so && zi == zo
                        ? x
                        : reference::clip(std::round(static_cast<double>(y)) + zo, 0, 255)));
            }
        }
        t.output(DType::uint8, quantization(so, zo));
        ASSERT_TRUE(t.run());
        EXPECT_EQ(t.values<std::uint8_t>(), wanted) << so << ' ' << zo;
    }
}

TEST(Concatenation, Refuses) {
    const auto two = [](const Shape& a, const Shape& b, int axis, Activation activation,
                        Code code) {
        KernelTester t(Opcode::concatenation, ConcatenationParams{axis, activation});
        t.input(a, std::vector<float>(static_cast<std::size_t>(a.elements())));
        t.input(b, std::vector<float>(static_cast<std::size_t>(b.elements())));
        t.output(DType::float32);
        EXPECT_TRUE(t.refuses(code)) << a.to_string() << b.to_string() << axis;
    };
    two({2, 1}, {2, 2}, 2, Activation::none, Code::invalid_argument);
    two({2, 1}, {2, 2}, -3, Activation::none, Code::invalid_argument);
    two({2, 1}, {2, 2}, INT32_MIN, Activation::none, Code::invalid_argument);
    two({2, 1}, {3, 2}, 1, Activation::none, Code::invalid_argument);
    two({2, 1}, {2}, 0, Activation::none, Code::invalid_argument);
    two({}, {}, 0, Activation::none, Code::invalid_argument);
    two({1}, {1}, 0, Activation::relu, Code::unimplemented);

    KernelTester differing(Opcode::concatenation, ConcatenationParams{0});
    differing.input(Shape{1}, std::vector<std::int8_t>(1), quantization(1, 0));
    differing.input(Shape{1}, std::vector<std::int8_t>(1), quantization(1, 1));
    differing.output(DType::int8, quantization(1, 0));
    EXPECT_TRUE(differing.refuses(Code::invalid_argument));

    KernelTester bare(Opcode::concatenation, ConcatenationParams{0});
    bare.input(Shape{1}, std::vector<std::uint8_t>(1));
    bare.output(DType::uint8, quantization(1, 0));
    EXPECT_TRUE(bare.refuses(Code::invalid_argument));

    KernelTester nothing(Opcode::concatenation, ConcatenationParams{0});
    nothing.output(DType::uint8, quantization(1, 0));
    EXPECT_TRUE(nothing.refuses(Code::invalid_argument));

    KernelTester types(Opcode::concatenation, ConcatenationParams{0});
    types.input(Shape{1}, std::vector<float>(1));
    types.input(Shape{1}, std::vector<std::int32_t>(1));
    types.output(DType::float32);
    EXPECT_TRUE(types.refuses(Code::invalid_argument));
}

}  // namespace

}  // namespace skiff::kernels::testing
