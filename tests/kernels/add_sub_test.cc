#include "tests/kernels/binary_case.h"

namespace skiff::kernels::testing {

namespace {

using reference::Random;

// The accelerated rule, in 64 bits.
int accelerated_sum(const BinaryCase& c, bool subtract, int a, int b) {
    volatile float ra = c.a_scale / c.output.scale, rb = c.b_scale / c.output.scale;
    int e = 0;
    while (std::ldexp(1.0, e) <= std::max(ra, rb)) ++e;
    while (std::ldexp(1.0, e) > std::max(ra, rb)) --e;
    const int k = 20 - e;
    const auto fa = static_cast<std::int64_t>(std::nearbyint(ra * std::ldexp(1.0, k)));
    const auto fb = static_cast<std::int64_t>(std::nearbyint(rb * std::ldexp(1.0, k)));
    const std::int64_t sum = fa * (a - c.a_zero) + (subtract ? -fb : fb) * (b - c.b_zero);
    const std::int64_t half = std::int64_t{1} << (k - 1);
    const auto y = reference::floor_divide(sum + half, std::int64_t{1} << k);
    return reference::clip(static_cast<double>(y) + c.output.zero_point,
                           reference::bound_even(c.output, reference::activation_lo(c.activation)),
                           reference::bound_even(c.output, reference::activation_hi(c.activation)));
}

int builtin_sum(const BinaryCase& c, bool subtract, int a, int b) {
    const double sa = c.a_scale, sb = c.b_scale, m2 = 2 * std::max(sa, sb);
    const std::int64_t xa = reference::scale((a - c.a_zero) * (1LL << 20), sa / m2);
    const std::int64_t xb = reference::scale((b - c.b_zero) * (1LL << 20), sb / m2);
    const std::int64_t y =
        reference::scale(subtract ? xa - xb : xa + xb, m2 / (1048576.0 * c.output.scale));
    return reference::clip(static_cast<double>(y) + c.output.zero_point,
                           reference::bound_away(c.output, reference::activation_lo(c.activation)),
                           reference::bound_away(c.output, reference::activation_hi(c.activation)));
}

bool is_accelerated(const BinaryCase& c) {
    const float ra = c.a_scale / c.output.scale, rb = c.b_scale / c.output.scale;
    return ra >= 1.f / 1024 && rb >= 1.f / 1024 && ra < 256 && rb < 256 &&
           c.shapes.output.rank() <= 6;
}

template <typename T>
void check(Random& random, const BinaryCase& c, bool subtract, ThreadPool* pool = nullptr) {
    check_binary<T>(
        random, subtract ? Opcode::sub : Opcode::add, c,
        [&](int a, int b) {
            return is_accelerated(c) ? accelerated_sum(c, subtract, a, b)
                                     : builtin_sum(c, subtract, a, b);
        },
        pool);
}

TEST(AddSub, AcceleratedRule) {
    Random random(1);
    for (int i = 0; i < 400; ++i) {
        const bool subtract = random.chance(50);
        check<std::int8_t>(random, random_case(random, DType::int8, 6, -3, 3), subtract);
        check<std::uint8_t>(random, random_case(random, DType::uint8, 6, -3, 3), subtract);
        // Up to the ends of what is taken.
        check<std::int8_t>(random, random_case(random, DType::int8, 4, -10, 7.4f), subtract);
        check<std::uint8_t>(random, random_case(random, DType::uint8, 4, -10, 7.4f), subtract);
    }
}

TEST(AddSub, BuiltinRuleOutsideTheRatios) {
    Random random(2);
    for (int i = 0; i < 300; ++i) {
        const bool subtract = random.chance(50);
        BinaryCase c = random_case(random, DType::int8, 4, -16, -10.1f);
        if (random.chance(50)) c.b_scale = c.output.scale * random.real(0.1f, 60);
        check<std::int8_t>(random, c, subtract);
        c.output = {DType::uint8, c.output.scale, random.zero_point(0, 255), c.activation};
        c.a_zero = random.zero_point(0, 255), c.b_zero = random.zero_point(0, 255);
        check<std::uint8_t>(random, c, subtract);
        // SUB has no limit before 2^18.
        check<std::int8_t>(random, random_case(random, DType::int8, 4, 8, 17), true);
    }
}

TEST(AddSub, BuiltinRuleAboveRank6) {
    Random random(3);
    for (int i = 0; i < 100; ++i) {
        BinaryCase c = random_case(random, DType::int8, 2, -3, 3);
        const auto deepen = [](Shape& shape) {
            Shape deep{2, 1, 2, 1, 1};
            for (int j = shape.rank(); j < 2; ++j) deep.push_back(1);
            for (const std::int32_t dim : shape) deep.push_back(dim);
            shape = deep;
        };
        deepen(c.shapes.a), deepen(c.shapes.b), deepen(c.shapes.output);
        check<std::int8_t>(random, c, random.chance(50));
    }
}

// The last ratio that is taken, and the first that is not, differ in this value: 1 * 2^-10 / 2 is a
// tie only in the accelerated rule's 20 bits.
TEST(AddSub, TakesRatiosFrom2ToTheMinus10) {
    for (const float ratio : {0x1p-10f, 0x1.fffffep-11f}) {
        Random random(4);
        BinaryCase c{{{256}, {256}, {256}},
                     Activation::none,
                     1.37f,
                     ratio,
                     0,
                     0,
                     {DType::int8, 1.f, 0, Activation::none},
                     false};
        for (int i = 0; i < 40; ++i) {
            c.a_scale = random.real(0.6f, 1.9f);
            check<std::int8_t>(random, c, false);
        }
    }
}

TEST(AddSub, FloatsWithEveryActivation) {
    Random random(5);
    for (int i = 0; i < 200; ++i) {
        const BinaryShapes s = random_shapes(random, 8);
        const auto activation = static_cast<Activation>(i % 4);
        const bool subtract = random.chance(50);
        auto a = random.reals(s.a.elements(), -5, 5), b = random.reals(s.b.elements(), -5, 5);
        KernelTester t(subtract ? Opcode::sub : Opcode::add, ElementwiseParams{activation});
        t.input(s.a, a), t.input(s.b, b), t.output(DType::float32);
        ASSERT_TRUE(t.run());
        EXPECT_EQ(t.shape(), s.output);
        EXPECT_EQ(t.values<float>(), broadcast_each(s, a, b, [&](float x, float y) {
                      const float sum = subtract ? x - y : x + y;
                      if (sum < reference::activation_lo(activation))
                          return static_cast<float>(reference::activation_lo(activation));
                      if (sum > reference::activation_hi(activation))
                          return static_cast<float>(reference::activation_hi(activation));
                      return sum;
                  }));
    }
}

TEST(AddSub, NotANumberStaysAndInfinityIsClamped) {
    KernelTester t(Opcode::add, ElementwiseParams{Activation::relu6});
    t.input(Shape{4}, std::vector<float>{NAN, INFINITY, -INFINITY, INFINITY});
    t.input(Shape{4}, std::vector<float>{1, 1, 1, -INFINITY});
    t.output(DType::float32);
    ASSERT_TRUE(t.run());
    const auto y = t.values<float>();
    EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[3]));
    EXPECT_EQ(y[1], 6);
    EXPECT_EQ(y[2], 0);
}

template <typename T>
void check_plain_integers() {
    const T max = std::numeric_limits<T>::max(), min = std::numeric_limits<T>::min();
    const std::vector<T> a{max, min, 5, -7, 3}, b{1, -1, 3, 2, -1};
    const std::vector<T> sums[] = {
        {min, max, 8, -5, 2}, {0, max, 8, 0, 2}, {-1, 1, 1, -1, 1}, {0, 6, 6, 0, 2}};
    const std::vector<T> differences[] = {
        {max - 1, min + 1, 2, -9, 4}, {max - 1, 0, 2, 0, 4}, {1, -1, 1, -1, 1}, {6, 0, 2, 0, 4}};
    for (int activation = 0; activation < 4; ++activation)
        for (const bool subtract : {false, true}) {
            KernelTester t(subtract ? Opcode::sub : Opcode::add,
                           ElementwiseParams{static_cast<Activation>(activation)});
            t.input(Shape{5}, a), t.input(Shape{5}, b), t.output(dtype_of<T>());
            ASSERT_TRUE(t.run());
            EXPECT_EQ(t.values<T>(), (subtract ? differences : sums)[activation]);
        }
}

TEST(AddSub, PlainIntegersWrap) {
    check_plain_integers<std::int32_t>();
    check_plain_integers<std::int64_t>();
}

// Pieces of rows on several threads, in place and not.
TEST(AddSub, LargeTensorsOnThreads) {
    Random random(6);
    ThreadPool pool(3);
    const BinaryShapes all[] = {{{3, 9001}, {3, 9001}, {3, 9001}},
                                {{20000, 3}, {3}, {20000, 3}},
                                {{1}, {70001}, {70001}},
                                {{20000, 1}, {1, 7}, {20000, 7}}};
    for (const BinaryShapes& shapes : all) {
        BinaryCase c = random_case(random, DType::int8, 1, -2, 2);
        c.shapes = shapes;
        check<std::int8_t>(random, c, false, &pool);
    }
}

TEST(AddSub, SameTensorTwice) {
    KernelTester t(Opcode::add, ElementwiseParams{});
    t.input(Shape{3}, std::vector<float>{1, 2, 3});
    t.input(Shape{3}, std::vector<float>{1, 2, 3});
    t.output(DType::float32);
    ASSERT_TRUE(t.prepare().ok());
    // Both inputs the same memory.
    const Tensor& a = t.input_tensor(0);
    Tensor b = a, output = t.output_tensor();
    std::vector<float> x{1, 2, 3}, y(3);
    b.data = reinterpret_cast<std::uint8_t*>(x.data());
    output.data = reinterpret_cast<std::uint8_t*>(y.data());
    const Tensor* inputs[] = {&b, &b};
    Tensor* outputs[] = {&output};
    PrepareContext prepare;
    prepare.inputs = inputs, prepare.outputs = outputs;
    auto kernel = find_kernel(0)->create(ElementwiseParams{});
    ASSERT_TRUE(kernel->prepare(prepare).ok());
    InvokeContext context{inputs, outputs};
    ASSERT_TRUE(kernel->invoke(context).ok());
    EXPECT_EQ(y, (std::vector<float>{2, 4, 6}));
}

struct BroadcastRow {
    Shape a, b, output;
    bool fits;
};

TEST(Broadcast, Table) {
    const BroadcastRow rows[] = {
        {{}, {}, {}, true},
        {{}, {3}, {3}, true},
        {{1}, {3}, {3}, true},
        {{3}, {4}, {}, false},
        {{2, 3}, {3}, {2, 3}, true},
        {{2, 3}, {2}, {}, false},
        {{2, 3}, {2, 1}, {2, 3}, true},
        {{4, 1, 3}, {5, 1}, {4, 5, 3}, true},
        {{1, 2, 1, 3, 1, 2}, {2, 1, 3, 1, 2, 1}, {2, 2, 3, 3, 2, 2}, true},
        {{2, 1, 2, 1, 2, 1, 2, 1}, {1, 2, 1, 2, 1, 2, 1, 2}, {2, 2, 2, 2, 2, 2, 2, 2}, true},
        {{0}, {1}, {0}, true},
        {{0}, {3}, {}, false},
        {{2, 0}, {2, 1}, {2, 0}, true},
        {{0, 3}, {1}, {0, 3}, true},
        {{65536, 1, 65536, 1}, {1, 65536, 1, 65536}, {}, false},
    };
    for (const BroadcastRow& row : rows) {
        if (row.a.elements() > 65536) {  // too large to have values: prepare only
            Tensor a, b, output;
            a.shape = row.a, b.shape = row.b;
            const Tensor* inputs[] = {&a, &b};
            Tensor* outputs[] = {&output};
            PrepareContext context;
            context.inputs = inputs, context.outputs = outputs;
            EXPECT_FALSE(find_kernel(0)->create(ElementwiseParams{})->prepare(context).ok());
            continue;
        }
        KernelTester t(Opcode::add, ElementwiseParams{});
        Random random(7);
        const auto a = random.reals(row.a.elements(), -1, 1);
        const auto b = random.reals(row.b.elements(), -1, 1);
        t.input(row.a, a), t.input(row.b, b), t.output(DType::float32);
        if (!row.fits) {
            EXPECT_TRUE(t.refuses(Code::invalid_argument));
            continue;
        }
        ASSERT_TRUE(t.run()) << row.a.to_string() << row.b.to_string();
        EXPECT_EQ(t.shape(), row.output);
        EXPECT_EQ(t.values<float>(), broadcast_each(BinaryShapes{row.a, row.b, row.output}, a, b,
                                                    [](float x, float y) { return x + y; }));
    }
}

TEST(AddSub, RefusesWhatItCannotDoRight) {
    const auto stored = [](Opcode opcode, float a, float b, float out, Code code) {
        KernelTester t(opcode, ElementwiseParams{});
        t.input(Shape{1}, std::vector<std::int8_t>{1}, quantization(a, 0));
        t.input(Shape{1}, std::vector<std::int8_t>{1}, quantization(b, 0));
        t.output(DType::int8, quantization(out, 0));
        EXPECT_TRUE(t.refuses(code)) << a << ' ' << b << ' ' << out;
    };
    stored(Opcode::add, 256, 1, 1, Code::unimplemented);  // the judge loses high bits
    stored(Opcode::add, 130, 0x1p-11f, 1, Code::unimplemented);
    stored(Opcode::sub, 0x1p19f, 1, 1, Code::unimplemented);
    for (const float bad : {0.f, -1.f, INFINITY, NAN}) {
        stored(Opcode::add, bad, 1, 1, Code::invalid_argument);
        stored(Opcode::add, 1, bad, 1, Code::invalid_argument);
        stored(Opcode::add, 1, 1, bad, Code::invalid_argument);
    }
    stored(Opcode::add, 3e38f, 3e38f, 1e-40f, Code::unimplemented);
    stored(Opcode::sub, 3e38f, 1e-40f, 1e-40f, Code::unimplemented);

    KernelTester mixed(Opcode::add, ElementwiseParams{});
    mixed.input(Shape{1}, std::vector<float>{1});
    mixed.input(Shape{1}, std::vector<std::int32_t>{1});
    mixed.output(DType::float32);
    EXPECT_TRUE(mixed.refuses(Code::invalid_argument));

    KernelTester one(Opcode::sub, ElementwiseParams{});
    one.input(Shape{1}, std::vector<float>{1});
    one.output(DType::float32);
    EXPECT_TRUE(one.refuses(Code::invalid_argument));

    KernelTester left_out(Opcode::sub, ElementwiseParams{});
    left_out.input(Shape{1}, std::vector<float>{1});
    left_out.no_input();
    left_out.output(DType::float32);
    EXPECT_TRUE(left_out.refuses(Code::invalid_argument));

    KernelTester tanh(Opcode::add, ElementwiseParams{Activation::tanh});
    tanh.input(Shape{1}, std::vector<float>{1});
    tanh.input(Shape{1}, std::vector<float>{1});
    tanh.output(DType::float32);
    EXPECT_TRUE(tanh.refuses(Code::unimplemented));

    KernelTester bare(Opcode::add, ElementwiseParams{});
    bare.input(Shape{1}, std::vector<std::int8_t>{1});
    bare.input(Shape{1}, std::vector<std::int8_t>{1});
    bare.output(DType::int8);
    EXPECT_TRUE(bare.refuses(Code::invalid_argument));

    KernelTester half(Opcode::add, ElementwiseParams{});
    half.input(Shape{1}, std::vector<std::uint16_t>{1});
    half.input(Shape{1}, std::vector<std::uint16_t>{1});
    half.output(DType::float16);
    EXPECT_TRUE(half.refuses(Code::unimplemented));
}

}  // namespace

}  // namespace skiff::kernels::testing
