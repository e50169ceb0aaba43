#include "tests/kernels/hybrid_reference.h"

namespace skiff::kernels::testing {

namespace {

using Bytes8 = std::vector<std::int8_t>;

// A FULLY_CONNECTED is a 1x1 CONV_2D over pixels: the same direct loops do.
ConvCase random_rows(Random& random, DType dtype) {
    ConvCase c = random_conv(random, dtype, false);
    c.batches = 1, c.height = 1, c.width = random.integer(1, 20);
    c.filter_h = c.filter_w = c.stride_h = c.stride_w = c.dilation_h = c.dilation_w = 1;
    c.channels = c.group_channels =
        random.chance(20) ? random.integer(200, 600) : random.integer(1, 60);
    c.outputs = random.integer(1, 70);
    c.weight_scales.resize(c.weight_scales.size() == 1 ? 1 : static_cast<std::size_t>(c.outputs),
                           0.01f);
    if (c.outputs > 1 && c.weight_scales.size() > 1) c.weight_scales[1] = 0.03125f;
    const float spread = 74 * 74 * std::sqrt(static_cast<float>(c.channels)) / 60;
    c.output_scale = c.input_scale * c.weight_scales[0] * std::exp2(std::round(std::log2(spread)));
    return c;
}

// The forms of stored FULLY_CONNECTED.
struct Form {
    bool weights_constant = true, bias = true, keep_num_dims = false;
    int weight_zero_point = 0;  // int8: 0 for what the accelerated path takes
};

template <typename T>
void check_rows(Random& random, ConvCase c, const Form& form, ThreadPool* pool) {
    SCOPED_TRACE(describe(c));
    if (c.dtype == DType::int8) {
        c.weight_zero_point = form.weight_zero_point;
        if (form.weight_zero_point != 0) c.weight_scales.resize(1);
    }
    const int lo = reference::lowest(c.dtype), hi = reference::highest(c.dtype);
    const auto input = random.stored<T>(c.input_shape().elements(), lo, hi);
    const auto weights = random.stored<T>(c.weight_shape().elements(), lo, hi);
    const auto bias =
        random.stored<std::int32_t>(c.outputs, form.bias ? -3000 : 0, form.bias ? 3000 : 0);
    const Shape weight_shape{c.outputs, c.channels};
    KernelTester t(Opcode::fully_connected,
                   FullyConnectedParams{c.activation, form.keep_num_dims, false});
    t.input(form.keep_num_dims ? Shape{1, c.width, c.channels} : Shape{c.width, c.channels, 1},
            input, quantization(c.input_scale, c.input_zero_point));
    if (form.weights_constant)
        t.constant(weight_shape, weights, c.weight_quantization());
    else
        t.input(weight_shape, weights, c.weight_quantization());
    if (form.bias) t.constant(Shape{c.outputs}, bias);
    t.output(c.dtype, quantization(c.output_scale, c.output_zero_point));
    ASSERT_TRUE(t.run(pool));
    ASSERT_EQ(t.shape(),
              form.keep_num_dims ? (Shape{1, c.width, c.outputs}) : (Shape{c.width, c.outputs}));
    const bool accelerated =
        form.weights_constant &&
        (c.dtype == DType::uint8 ? c.weight_axis == 0 : c.weight_zero_point == 0);
    const reference::Output out{c.dtype, c.output_scale, c.output_zero_point, c.activation};
    const auto expected = all_outputs<T>(c, [&](int b, int y, int x, int o) {
        const auto sum = bias[static_cast<std::size_t>(o)] +
                         direct_sum<std::int64_t>(c, input, weights, c.input_zero_point,
                                                  c.weight_zero_point, b, y, x, o);
        return accelerated ? reference::accelerated(sum, c.input_scale, c.weight_scale(o), out)
                           : reference::builtin(sum, c.input_scale, c.weight_scale(o), true, out,
                                                c.weight_scales.size() == 1);
    });
    ASSERT_EQ(t.values<T>(), expected);
}

// float32(input scale * weight scale) is above the product, just enough to round 47217 up: found by
// tests/differential.
TEST(FullyConnected, OneScaleIsMultipliedInFloat) {
    for (const bool per_channel : {false, true}) {
        constexpr float scale = 0.00151148322f;
        KernelTester t(Opcode::fully_connected, FullyConnectedParams{});
        t.input(Shape{1, 1}, std::vector<std::int8_t>{33}, quantization(0.01100701f, 33));
        t.input(Shape{2, 1}, std::vector<std::int8_t>{1, 1},
                per_channel ? quantization({scale, scale}) : quantization(scale, 0));
        t.constant(Shape{2}, std::vector<std::int32_t>{47217, 47217});
        t.output(DType::int8, quantization(0.0119932331f, -128));
        ASSERT_TRUE(t.run());
        const std::int8_t expected = per_channel ? -63 : -62;
        EXPECT_EQ(t.values<std::int8_t>(), (std::vector<std::int8_t>{expected, expected}));
    }
}

Form random_form(Random& random) {
    return {random.chance(75), random.chance(75), random.chance(40),
            random.chance(25) ? random.integer(-128, 127) : 0};
}

TEST(FullyConnected, Int8IsExact) {
    Random random(301);
    ThreadPool pool(3);
    for (int i = 0; i < 300; ++i)
        check_rows<std::int8_t>(random, random_rows(random, DType::int8), random_form(random),
                                i % 2 ? &pool : nullptr);
}

TEST(FullyConnected, Uint8IsExact) {
    Random random(302);
    ThreadPool pool(3);
    for (int i = 0; i < 300; ++i)
        check_rows<std::uint8_t>(random, random_rows(random, DType::uint8), random_form(random),
                                 i % 2 ? &pool : nullptr);
}

TEST(FullyConnected, FloatIsClose) {
    Random random(303);
    ThreadPool pool(3);
    for (int i = 0; i < 200; ++i) {
        const ConvCase c = random_rows(random, DType::float32);
        const auto input = random.reals(c.input_shape().elements(), -1, 1);
        const auto weights = random.reals(c.weight_shape().elements(), -1, 1);
        const auto bias = random.reals(c.outputs, -1, 1);
        const bool has_bias = random.chance(70);
        KernelTester t(Opcode::fully_connected, FullyConnectedParams{c.activation, false, false});
        t.input(Shape{c.width, c.channels}, input);
        if (random.chance(80))
            t.constant(Shape{c.outputs, c.channels}, weights);
        else
            t.input(Shape{c.outputs, c.channels}, weights);
        if (has_bias) t.constant(Shape{c.outputs}, bias);
        t.output(DType::float32);
        ASSERT_TRUE(t.run(i % 2 ? &pool : nullptr));
        const auto expected = all_outputs<double>(c, [&](int b, int y, int x, int o) {
            const double sum = direct_sum<double>(c, input, weights, 0, 0, b, y, x, o) +
                               (has_bias ? bias[static_cast<std::size_t>(o)] : 0);
            return std::clamp(sum, reference::activation_lo(c.activation),
                              reference::activation_hi(c.activation));
        });
        const auto values = t.values<float>();
        ASSERT_EQ(values.size(), expected.size());
        for (std::size_t k = 0; k < values.size(); ++k)
            ASSERT_NEAR(values[k], expected[k], 3e-5) << k;
    }
}

// Float rows with int8 or int4 weights, each row quantized on its own.
void check_hybrid_rows(Random& random, const ConvCase& c, bool int4, ThreadPool* pool) {
    SCOPED_TRACE(describe(c));
    const auto input = random.reals(c.input_shape().elements(), random.chance(30) ? 0.f : -2.f, 3);
    const auto weights =
        random.stored<std::int8_t>(c.weight_shape().elements(), int4 ? -8 : -127, int4 ? 7 : 127);
    const auto bias = random.reals(c.outputs, -1, 1);
    const Shape weight_shape{c.outputs, c.channels};
    KernelTester t(Opcode::fully_connected, FullyConnectedParams{c.activation, false, false});
    t.input(Shape{c.width, c.channels}, input);
    if (int4) {
        std::vector<std::uint8_t> packed((weights.size() + 1) / 2);
        for (std::size_t i = 0; i < weights.size(); ++i)
            packed[i / 2] =
                static_cast<std::uint8_t>(packed[i / 2] | (weights[i] & 15) << (i % 2 * 4));
        t.constant_bytes(weight_shape, DType::int4, packed, c.weight_quantization());
    } else {
        t.constant(weight_shape, weights, c.weight_quantization());
    }
    t.constant(Shape{c.outputs}, bias);
    t.output(DType::float32);
    ASSERT_TRUE(t.run(pool));
    std::vector<QuantizedValues> rows;
    for (int row = 0; row < c.width; ++row)
        rows.push_back(quantize_accelerated(input.data() + row * c.channels, c.channels));
    const auto expected = all_outputs<float>(c, [&](int, int, int x, int o) {
        std::int64_t sum = 0;
        const QuantizedValues& row = rows[static_cast<std::size_t>(x)];
        for (int k = 0; k < c.channels; ++k)
            sum += row.offsets[static_cast<std::size_t>(k)] *
                   weights[static_cast<std::size_t>(o * c.channels + k)];
        const float y = static_cast<float>(sum) * row.scale * c.weight_scale(o) +
                        bias[static_cast<std::size_t>(o)];
        return std::clamp(y, static_cast<float>(reference::activation_lo(c.activation)),
                          static_cast<float>(reference::activation_hi(c.activation)));
    });
    ASSERT_EQ(t.values<float>(), expected);
}

TEST(FullyConnected, HybridQuantizesRows) {
    Random random(304);
    ThreadPool pool(3);
    for (int i = 0; i < 200; ++i)
        check_hybrid_rows(random, random_rows(random, DType::int8), i % 3 == 0,
                          i % 2 ? &pool : nullptr);
}

TEST(FullyConnected, Int4WeightsAreExact) {
    KernelTester t(Opcode::fully_connected, FullyConnectedParams{});
    t.input(Shape{1, 3}, Bytes8{1, 10, 100}, quantization(1, 0));
    // Rows 1, -2, 1 and -8, 7, -1, packed without regard to rows.
    t.constant_bytes(Shape{2, 3}, DType::int4, {0xE1, 0x81, 0xF7},
                     quantization(std::vector<float>{1, 2}));
    t.output(DType::int8, quantization(1, 0));
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<std::int8_t>(), (Bytes8{81, -76}));
}

TEST(FullyConnected, GoldenTies) {
    const auto scaled = [](bool constant) {
        KernelTester t(Opcode::fully_connected, FullyConnectedParams{});
        t.input(Shape{6, 1}, Bytes8{-10, -6, -2, 2, 6, 10}, quantization(1, 0));
        if (constant)
            t.constant(Shape{1, 1}, Bytes8{1}, quantization(1, 0));
        else
            t.input(Shape{1, 1}, Bytes8{1}, quantization(1, 0));
        t.output(DType::int8, quantization(4, 0));
        EXPECT_TRUE(t.run());
        return t.values<std::int8_t>();
    };
    EXPECT_EQ(scaled(true), (Bytes8{-2, -2, 0, 0, 2, 2}));
    EXPECT_EQ(scaled(false), (Bytes8{-2, -1, 0, 1, 2, 3}));
}

TEST(FullyConnected, OutputShapes) {
    const auto shape_of = [](const Shape& input, bool keep) {
        KernelTester t(Opcode::fully_connected, FullyConnectedParams{{}, keep, false});
        t.input(input, std::vector<float>(static_cast<std::size_t>(input.elements())));
        t.constant(Shape{5, 6}, std::vector<float>(30));
        t.output(DType::float32);
        EXPECT_TRUE(t.run());
        return t.shape();
    };
    EXPECT_EQ(shape_of({6}, false), (Shape{1, 5}));
    EXPECT_EQ(shape_of({2, 2, 3}, false), (Shape{2, 5}));
    EXPECT_EQ(shape_of({2, 3, 1, 6}, false), (Shape{6, 5}));
    EXPECT_EQ(shape_of({2, 3, 1, 6}, true), (Shape{2, 3, 1, 5}));
    EXPECT_EQ(shape_of({0, 6}, false), (Shape{0, 5}));
    EXPECT_EQ(shape_of({6}, true), (Shape{5}));
}

}  // namespace

}  // namespace skiff::kernels::testing
