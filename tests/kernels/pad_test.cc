#include "tests/kernels/elementwise_reference.h"

namespace skiff::kernels::testing {

namespace {

using reference::Random;

template <typename T, typename P>
void check(Random& random, int rank, OwnedQuantization q, T fill, bool constant,
           ThreadPool* pool = nullptr) {
    Shape input, output;
    std::vector<P> paddings;
    for (int i = 0; i < rank; ++i) {
        const int before = random.chance(50) ? random.integer(0, 3) : 0;
        const int after = random.chance(50) ? random.integer(0, 3) : 0;
        input.push_back(random.integer(random.chance(90) ? 1 : 0, rank > 4 ? 3 : 9));
        output.push_back(before + input[i] + after);
        paddings.push_back(static_cast<P>(before)), paddings.push_back(static_cast<P>(after));
    }
    const auto values = random.stored<T>(input.elements(), 0, 120);
    KernelTester t(Opcode::pad, {});
    t.input(input, values, q);
    if (constant)
        t.constant(Shape{rank, 2}, paddings);
    else
        t.input(Shape{rank, 2}, paddings);
    t.output(dtype_of<T>(), q);
    ASSERT_TRUE(t.run(pool));
    EXPECT_EQ(t.shape(), output);
    std::vector<T> wanted;
    reference::for_each_index(output, [&](const Shape& at) {
        std::int64_t offset = 0;
        bool inside = true;
        for (int i = 0; i < rank; ++i) {
            const int position =
                at[i] - static_cast<int>(paddings[static_cast<std::size_t>(2 * i)]);
            inside = inside && position >= 0 && position < input[i];
            offset = offset * input[i] + position;
        }
        wanted.push_back(inside ? values[static_cast<std::size_t>(offset)] : fill);
    });
    EXPECT_EQ(t.values<T>(), wanted) << input.to_string() << output.to_string();
}

TEST(Pad, AllTypesAndRanks) {
    Random random(1);
    for (int i = 0; i < 60; ++i)
        for (int rank = 0; rank <= 8; ++rank) {
            const bool constant = random.chance(50);
            const int z8 = random.zero_point(-128, 127), zu = random.zero_point(0, 255);
            check<float, std::int32_t>(random, rank, {}, 0, constant);
            check<std::int8_t, std::int64_t>(random, rank, quantization(0.1f, z8),
                                             static_cast<std::int8_t>(z8), constant);
            check<std::uint8_t, std::int32_t>(random, rank, quantization(0.1f, zu),
                                              static_cast<std::uint8_t>(zu), constant);
            check<std::int8_t, std::int32_t>(random, rank, {}, 0, constant);
            check<std::int16_t, std::int32_t>(random, rank, quantization(0.1f, 0), 0, constant);
            check<std::int32_t, std::int32_t>(random, rank, {}, 0, constant);
            check<std::int64_t, std::int64_t>(random, rank, {}, 0, constant);
        }
}

TEST(Pad, OnThreads) {
    Random random(2);
    ThreadPool pool(3);
    Shape input{40, 50, 30};
    const auto values = random.reals(input.elements(), -1, 1);
    KernelTester one(Opcode::pad, {}), many(Opcode::pad, {});
    for (KernelTester* t : {&one, &many}) {
        t->input(input, values);
        t->constant(Shape{3, 2}, std::vector<std::int32_t>{1, 2, 3, 4, 5, 6});
        t->output(DType::float32);
    }
    ASSERT_TRUE(one.run());
    ASSERT_TRUE(many.run(&pool));
    EXPECT_EQ(one.values<float>(), many.values<float>());
}

TEST(Pad, Refuses) {
    const auto with = [](const Shape& paddings_shape, std::vector<std::int64_t> paddings) {
        KernelTester t(Opcode::pad, {});
        t.input(Shape{2, 2}, std::vector<float>(4));
        t.constant(paddings_shape, paddings);
        t.output(DType::float32);
        EXPECT_TRUE(t.refuses(Code::invalid_argument));
    };
    with(Shape{4}, {1, 1, 1, 1});
    with(Shape{1, 2}, {1, 1});
    with(Shape{2, 2}, {-1, 1, 0, 0});
    with(Shape{2, 2}, {INT64_MAX, 1, 0, 0});
    with(Shape{2, 2}, {INT32_MAX, INT32_MAX, 0, 0});
    with(Shape{2, 2}, {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX});

    // 2^60 elements.
    KernelTester large(Opcode::pad, {});
    large.input(Shape{1, 1}, std::vector<float>(1));
    large.constant(Shape{2, 2}, std::vector<std::int32_t>{1 << 30, 0, 1 << 30, 0});
    large.output(DType::float32);
    EXPECT_TRUE(large.refuses(Code::invalid_argument));

    KernelTester rescaling(Opcode::pad, {});
    rescaling.input(Shape{1}, std::vector<std::int8_t>(1), quantization(1, 0));
    rescaling.constant(Shape{1, 2}, std::vector<std::int32_t>{1, 0});
    rescaling.output(DType::int8, quantization(1, 1));
    EXPECT_TRUE(rescaling.refuses(Code::invalid_argument));

    KernelTester real(Opcode::pad, {});
    real.input(Shape{1}, std::vector<float>(1));
    real.constant(Shape{1, 2}, std::vector<float>{1, 0});
    real.output(DType::float32);
    EXPECT_TRUE(real.refuses(Code::invalid_argument));
}

}  // namespace

}  // namespace skiff::kernels::testing
