#include <set>

#include "tests/kernels/elementwise_reference.h"

namespace skiff::kernels::testing {

namespace {

using reference::Random;

struct MeanCase {
    Shape input;
    std::vector<std::int32_t> axes;  // as the model has them: negative, twice
    bool keep_dims = false, constant = true;

    std::set<int> dims() const {
        std::set<int> named;
        for (const std::int32_t axis : axes) named.insert(axis < 0 ? axis + input.rank() : axis);
        return named;
    }
    Shape kept() const {
        Shape shape = input;
        for (const int dim : dims()) shape[dim] = 1;
        return shape;
    }
    Shape output() const {
        Shape shape;
        for (int i = 0; i < input.rank(); ++i)
            if (keep_dims || dims().count(i) == 0) shape.push_back(kept()[i]);
        return shape;
    }
    int count() const {
        int n = 1;
        for (const int dim : dims()) n *= input[dim];
        return n;
    }
};

MeanCase random_mean(Random& random) {
    MeanCase c;
    const int rank = random.integer(1, 6);
    for (int i = 0; i < rank; ++i) c.input.push_back(random.integer(1, rank > 4 ? 4 : 9));
    const int named = random.integer(1, rank);
    for (int i = 0; i < named; ++i) c.axes.push_back(random.integer(-rank, rank - 1));
    c.keep_dims = random.chance(50);
    return c;
}

template <typename T, typename Sum>
std::vector<Sum> sums(const MeanCase& c, const std::vector<T>& values) {
    std::vector<Sum> all(static_cast<std::size_t>(c.kept().elements()));
    std::size_t i = 0;
    reference::for_each_index(c.input, [&](const Shape& at) {
        all[reference::broadcast_offset(c.kept(), at)] += static_cast<Sum>(values[i++]);
    });
    return all;
}

void add_axes(KernelTester& t, const MeanCase& c) {
    const Shape shape{static_cast<std::int32_t>(c.axes.size())};
    if (c.constant)
        t.constant(shape, c.axes);
    else
        t.input(shape, c.axes);
}

int accelerated_mean(std::int64_t sum, int n, float si, int zi, const reference::Output& o) {
    volatile float scales = si / o.scale;
    volatile float part = 1.f / static_cast<float>(n);
    volatile float r = scales * part;
    volatile float zeros = static_cast<float>(n * zi) * r;
    volatile float offset = static_cast<float>(o.zero_point) - zeros;
    volatile float product = static_cast<float>(sum) * r;
    volatile float y = product + offset;
    return reference::clip(std::nearbyint(y), reference::lowest(o.dtype),
                           reference::highest(o.dtype));
}

// GL with the mantissa of si / so, shifted left as far as n allows, divided by n.
int builtin_mean(std::int64_t sum, int n, float si, int zi, const reference::Output& o) {
    int exponent = 0;
    const double fraction = std::frexp(static_cast<double>(si) / o.scale, &exponent);
    auto mantissa = static_cast<std::int64_t>(std::round(fraction * 2147483648.0));
    int shift = 0;
    while ((2 << shift) <= n) ++shift;
    mantissa = (mantissa << shift) / n;
    exponent -= shift;
    const std::int64_t x = sum - std::int64_t{n} * zi;
    const int left = std::max(exponent, 0), right = std::max(-exponent, 0);
    const std::int64_t high = static_cast<std::int64_t>(reference::floor_divide(
        reference::Wide{x << left} * mantissa + (1LL << 30), reference::Wide{1} << 31));
    std::int64_t y = std::abs(high);
    if (right > 0) y = (y + (1LL << (right - 1))) >> right;
    return reference::clip(static_cast<double>(high < 0 ? -y : y) + o.zero_point,
                           reference::lowest(o.dtype), reference::highest(o.dtype));
}

template <typename T>
void check_stored(Random& random, const MeanCase& c, ThreadPool* pool = nullptr) {
    const DType dtype = dtype_of<T>();
    const int lo = reference::lowest(dtype), hi = reference::highest(dtype);
    const float si = reference::random_scale(random, 0.01f, 0.3f);
    const int zi = random.zero_point(lo, hi);
    const reference::Output o{dtype, si * reference::random_scale(random, 0.2f, 3),
                              random.zero_point(lo, hi), Activation::none};
    const auto values = random.stored<T>(c.input.elements(), lo, hi);
    KernelTester t(Opcode::mean, ReduceParams{c.keep_dims});
    t.input(c.input, values, quantization(si, zi));
    add_axes(t, c);
    t.output(dtype, quantization(o.scale, o.zero_point));
    ASSERT_TRUE(t.run(pool));
    EXPECT_EQ(t.shape(), c.output());
    std::vector<T> wanted;
    const bool accelerated = c.constant && !c.axes.empty();
    for (const std::int64_t sum : sums<T, std::int64_t>(c, values))
        wanted.push_back(static_cast<T>(
            (accelerated ? accelerated_mean : builtin_mean)(sum, c.count(), si, zi, o)));
    EXPECT_EQ(t.values<T>(), wanted) << c.input.to_string() << " scales " << si << ' ' << o.scale
                                     << " zero points " << zi << ' ' << o.zero_point;
}

TEST(Mean, AcceleratedRule) {
    Random random(1);
    for (int i = 0; i < 250; ++i) {
        check_stored<std::int8_t>(random, random_mean(random));
        check_stored<std::uint8_t>(random, random_mean(random));
    }
}

// The ratio of the scales times f(1 / n), not divided by n: these sums lie next to a tie.
TEST(Mean, MultipliesByOneOverN) {
    struct Row {
        int n;
        float input_scale, output_scale;
        int sum, mean;
    };
    for (const Row& row : {Row{23, 0.023f, 0.07f, 1295, 19}, Row{6, 0.003f, 0.049f, 441, 5},
                           Row{36, 0.03f, 0.013f, 1677, 108}}) {
        std::vector<std::int8_t> x(static_cast<std::size_t>(row.n),
                                   static_cast<std::int8_t>(row.sum / row.n));
        for (int i = 0; i < row.sum % row.n; ++i) ++x[static_cast<std::size_t>(i)];
        KernelTester t(Opcode::mean, ReduceParams{});
        t.input(Shape{row.n}, x, quantization(row.input_scale, 0));
        t.constant(Shape{1}, std::vector<std::int32_t>{0});
        t.output(DType::int8, quantization(row.output_scale, 0));
        ASSERT_TRUE(t.run());
        EXPECT_EQ(int{t.values<std::int8_t>()[0]}, row.mean);
    }
}

TEST(Mean, BuiltinRuleForAxesThatAreNotConstantOrNone) {
    Random random(2);
    for (int i = 0; i < 150; ++i) {
        MeanCase c = random_mean(random);
        if (i % 10 == 0)
            c.axes.clear();
        else
            c.constant = false;
        if (c.keep_dims && c.input.rank() == 4 && c.dims() == std::set<int>{1, 2}) continue;
        check_stored<std::int8_t>(random, c);
        check_stored<std::uint8_t>(random, c);
    }
}

TEST(Mean, LargeOnThreads) {
    Random random(3);
    ThreadPool pool(3);
    check_stored<std::int8_t>(random, {{5, 60, 40, 33}, {1, 2}, false}, &pool);
    check_stored<std::int8_t>(random, {{7, 9, 5000}, {2}, true}, &pool);
}

TEST(Mean, Floats) {
    Random random(4);
    for (int i = 0; i < 200; ++i) {
        MeanCase c = random_mean(random);
        c.constant = random.chance(50);
        if (i % 20 == 0) c.axes.clear();
        const auto values = random.reals(c.input.elements(), -2, 3);
        KernelTester t(Opcode::mean, ReduceParams{c.keep_dims});
        t.input(c.input, values);
        add_axes(t, c);
        t.output(DType::float32);
        ASSERT_TRUE(t.run());
        EXPECT_EQ(t.shape(), c.output());
        const auto wanted = sums<float, double>(c, values);
        const auto got = t.values<float>();
        for (std::size_t j = 0; j < got.size(); ++j)
            EXPECT_NEAR(got[j], wanted[j] / c.count(), 1e-6);
    }
}

template <typename T>
void check_plain_integers() {
    const T big = std::numeric_limits<T>::max();
    KernelTester t(Opcode::mean, ReduceParams{});
    t.input(Shape{3, 2}, std::vector<T>{-1, -2, 5, 2, big, big - 2});
    t.constant(Shape{1}, std::vector<std::int32_t>{-1});
    t.output(dtype_of<T>());
    ASSERT_TRUE(t.run());
    // Cut towards zero; sums of int64 wrap.
    EXPECT_EQ(t.values<T>(), (std::vector<T>{-1, 3, sizeof(T) == 8 ? T{-2} : T(big - 1)}));
}

TEST(Mean, PlainIntegers) {
    check_plain_integers<std::int32_t>();
    check_plain_integers<std::int64_t>();
}

TEST(Mean, NothingToReduce) {
    KernelTester empty(Opcode::mean, ReduceParams{});
    empty.input(Shape{2, 0}, std::vector<float>{});
    empty.constant(Shape{1}, std::vector<std::int32_t>{1});
    empty.output(DType::float32);
    ASSERT_TRUE(empty.run());
    for (const float y : empty.values<float>()) EXPECT_TRUE(std::isnan(y));

    KernelTester stored(Opcode::mean, ReduceParams{});
    stored.input(Shape{2, 0}, std::vector<std::int8_t>{}, quantization(1, 3));
    stored.constant(Shape{1}, std::vector<std::int32_t>{1});
    stored.output(DType::int8, quantization(1, 5));
    ASSERT_TRUE(stored.run());
    EXPECT_EQ(stored.values<std::int8_t>(), (std::vector<std::int8_t>{0, 0}));

    KernelTester none(Opcode::mean, ReduceParams{});
    none.input(Shape{2, 0, 3}, std::vector<float>{});
    none.constant(Shape{1}, std::vector<std::int32_t>{0});
    none.output(DType::float32);
    ASSERT_TRUE(none.run());
    EXPECT_EQ(none.shape(), (Shape{0, 3}));

    KernelTester scalar(Opcode::mean, ReduceParams{});
    scalar.input(Shape{}, std::vector<float>{7});
    scalar.constant(Shape{0}, std::vector<std::int32_t>{});
    scalar.output(DType::float32);
    ASSERT_TRUE(scalar.run());
    EXPECT_EQ(scalar.values<float>(), std::vector<float>{7});
}

TEST(Mean, AsksForAxesThatAreNotConstant) {
    KernelTester t(Opcode::mean, ReduceParams{});
    t.input(Shape{2, 2}, std::vector<float>{1, 2, 3, 4});
    t.input(Shape{1}, std::vector<std::int32_t>{0});
    t.output(DType::float32);
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<float>(), (std::vector<float>{2, 3}));
    t.replace_input(1, Shape{1}, std::vector<std::int32_t>{1});
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<float>(), (std::vector<float>{1.5f, 3.5f}));
}

TEST(Mean, Refuses) {
    for (const std::int32_t axis : {2, -3, INT32_MAX, INT32_MIN}) {
        KernelTester t(Opcode::mean, ReduceParams{});
        t.input(Shape{2, 3}, std::vector<float>(6));
        t.constant(Shape{1}, std::vector<std::int32_t>{axis});
        t.output(DType::float32);
        EXPECT_TRUE(t.refuses(Code::invalid_argument));
    }
    KernelTester wide(Opcode::mean, ReduceParams{});
    wide.input(Shape{2, 3}, std::vector<float>(6));
    wide.constant(Shape{1}, std::vector<std::int64_t>{1});
    wide.output(DType::float32);
    EXPECT_TRUE(wide.refuses(Code::invalid_argument));

    KernelTester spatial(Opcode::mean, ReduceParams{true});
    spatial.input(Shape{1, 2, 2, 1}, std::vector<std::int8_t>(4), quantization(1, 0));
    spatial.input(Shape{2}, std::vector<std::int32_t>{1, 2});
    spatial.output(DType::int8, quantization(1, 0));
    EXPECT_TRUE(spatial.refuses(Code::unimplemented));

    KernelTester scales(Opcode::mean, ReduceParams{true});
    scales.input(Shape{2}, std::vector<std::int8_t>(2), quantization(3e38f, 0));
    scales.constant(Shape{1}, std::vector<std::int32_t>{0});
    scales.output(DType::int8, quantization(1e-40f, 0));
    EXPECT_TRUE(scales.refuses(Code::invalid_argument));
}

}  // namespace

}  // namespace skiff::kernels::testing
