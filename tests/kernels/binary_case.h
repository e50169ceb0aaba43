// Random two-operand cases for the tests of ADD, SUB and MUL.
#pragma once

#include "tests/kernels/elementwise_reference.h"

namespace skiff::kernels::testing {

struct BinaryShapes {
    Shape a, b, output;
};

// Shapes of up to `max_rank` dimensions that fit each other in NumPy's sense, sometimes of
// differing rank.
inline BinaryShapes random_shapes(reference::Random& random, int max_rank) {
    BinaryShapes s;
    const int rank = random.integer(0, max_rank);
    for (int i = 0; i < rank; ++i) {
        const int dim = i == rank - 1 ? random.integer(1, 40) : random.integer(1, 4);
        s.a.push_back(random.chance(75) ? dim : 1);
        s.b.push_back(random.chance(75) ? dim : 1);
        s.output.push_back(std::max(s.a[i], s.b[i]));
    }
    // Leading dimensions of 1 may be left out on one side.
    const auto shorten = [&](Shape& shape) {
        int ones = 0;
        while (ones < shape.rank() && shape[ones] == 1) ++ones;
        const int drop = random.integer(0, ones);
        shape = Shape(std::span(shape.begin() + drop, shape.end()));
    };
    shorten(random.chance(50) ? s.a : s.b);
    return s;
}

// f(a, b) for every element of the output.
template <typename T, typename F>
std::vector<T> broadcast_each(const BinaryShapes& s, const std::vector<T>& a,
                              const std::vector<T>& b, const F& f) {
    std::vector<T> values;
    reference::for_each_index(s.output, [&](const Shape& at) {
        values.push_back(static_cast<T>(
            f(a[reference::broadcast_offset(s.a, at)], b[reference::broadcast_offset(s.b, at)])));
    });
    return values;
}

struct BinaryCase {
    BinaryShapes shapes;
    Activation activation;
    float a_scale, b_scale;
    int a_zero, b_zero;
    reference::Output output;
    bool constant;  // the second operand
};

// One integer case; ratios a_scale / output scale between the powers of two given.
inline BinaryCase random_case(reference::Random& random, DType dtype, int max_rank, float lo_log2,
                              float hi_log2) {
    const int lo = reference::lowest(dtype), hi = reference::highest(dtype);
    BinaryCase c;
    c.shapes = random_shapes(random, max_rank);
    c.activation = static_cast<Activation>(random.integer(0, 3));
    // With 2 and 4 the bounds of activations lie on ties.
    const float scale = random.chance(15) ? (random.chance(50) ? 2.f : 4.f)
                                          : reference::random_scale(random, 0.004f, 0.5f);
    c.a_scale = scale * reference::random_scale(random, std::exp2(lo_log2), std::exp2(hi_log2));
    c.b_scale = scale * reference::random_scale(random, std::exp2(lo_log2), std::exp2(hi_log2));
    c.a_zero = random.zero_point(lo, hi), c.b_zero = random.zero_point(lo, hi);
    c.output = {dtype, scale, random.zero_point(lo, hi), c.activation};
    c.constant = random.chance(30);
    return c;
}

// Runs the operator on the case's random values and compares with rule(a, b) on stored values.
template <typename T, typename Rule>
void check_binary(reference::Random& random, Opcode opcode, const BinaryCase& c, const Rule& rule,
                  ThreadPool* pool = nullptr) {
    const int lo = reference::lowest(dtype_of<T>()), hi = reference::highest(dtype_of<T>());
    const auto a = random.stored<T>(c.shapes.a.elements(), lo, hi);
    const auto b = random.stored<T>(c.shapes.b.elements(), lo, hi);
    KernelTester t(opcode, ElementwiseParams{c.activation});
    t.input(c.shapes.a, a, quantization(c.a_scale, c.a_zero));
    if (c.constant)
        t.constant(c.shapes.b, b, quantization(c.b_scale, c.b_zero));
    else
        t.input(c.shapes.b, b, quantization(c.b_scale, c.b_zero));
    t.output(dtype_of<T>(), quantization(c.output.scale, c.output.zero_point));
    ASSERT_TRUE(t.run(pool));
    EXPECT_EQ(t.shape(), c.shapes.output);
    EXPECT_EQ(t.values<T>(), broadcast_each(c.shapes, a, b, rule))
        << c.shapes.a.to_string() << c.shapes.b.to_string() << " scales " << c.a_scale << ' '
        << c.b_scale << ' ' << c.output.scale << " zero points " << c.a_zero << ' ' << c.b_zero
        << ' ' << c.output.zero_point << " activation " << static_cast<int>(c.activation);
}

}  // namespace skiff::kernels::testing
