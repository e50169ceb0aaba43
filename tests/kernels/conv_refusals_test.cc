// Models are foreign: what makes no sense is refused in prepare, with one line.
#include <cmath>
#include <functional>

#include "tests/kernels/kernel_tester.h"

namespace skiff::kernels::testing {

namespace {

// A small valid node, to be spoilt in one way at a time.
struct Node {
    Opcode opcode = Opcode::conv_2d;
    DType dtype = DType::int8;
    Padding padding = Padding::same;
    int stride = 1, dilation = 1;
    Activation activation = Activation::none;
    Shape input{1, 4, 4, 2}, weights{4, 3, 3, 2}, bias{4};
    OwnedQuantization input_q = quantization(1, 0), weights_q = quantization(1, 0),
                      output_q = quantization(1, 0);
    bool has_bias = true, weights_constant = true, bias_float = false, keep_num_dims = false,
         shuffled = false;
    DType weights_dtype = DType::int8, output_dtype = DType::int8;
};

Node valid(Opcode opcode) {
    Node n;
    n.opcode = opcode;
    if (opcode == Opcode::depthwise_conv_2d) n.weights = Shape{1, 3, 3, 4};
    if (opcode == Opcode::fully_connected) n.weights = Shape{4, 8};
    return n;
}

Status prepare(const Node& n) {
    Params params =
        Conv2dParams{n.padding, n.stride, n.stride, n.dilation, n.dilation, n.activation};
    if (n.opcode == Opcode::depthwise_conv_2d)
        params = DepthwiseConv2dParams{n.padding,  n.stride,   n.stride,
                                       n.dilation, n.dilation, n.activation};
    if (n.opcode == Opcode::fully_connected)
        params = FullyConnectedParams{n.activation, n.keep_num_dims, n.shuffled};
    KernelTester t(n.opcode, params);
    const auto bytes = [](const Shape& s, DType d) {
        return std::vector<std::uint8_t>(
            static_cast<std::size_t>(s.elements() * dtype_bits(d) / 8));
    };
    t.constant_bytes(n.input, n.dtype, bytes(n.input, n.dtype), n.input_q);
    t.input_tensor(0).constant = false;
    t.constant_bytes(n.weights, n.weights_dtype, bytes(n.weights, n.weights_dtype), n.weights_q);
    t.input_tensor(1).constant = n.weights_constant;
    const DType bias_type = n.bias_float ? DType::float32 : DType::int32;
    if (n.has_bias) t.constant_bytes(n.bias, bias_type, bytes(n.bias, bias_type));
    t.output(n.output_dtype, n.output_q);
    return t.prepare();
}

using Spoil = std::function<void(Node&)>;

void expect_refused(Opcode opcode, const char* what, Code code, const Spoil& spoil) {
    Node n = valid(opcode);
    ASSERT_TRUE(prepare(n).ok());
    spoil(n);
    const Status status = prepare(n);
    ASSERT_FALSE(status.ok()) << what << " for opcode " << static_cast<int>(opcode);
    EXPECT_EQ(status.error().code, code) << what << ": " << status.error().message;
    EXPECT_FALSE(status.error().message.empty());
    EXPECT_EQ(status.error().message.find('\n'), std::string::npos);
}

struct Case {
    const char* what;
    Code code;
    Spoil spoil;
};
constexpr Code bad = Code::invalid_argument, missing = Code::unimplemented;
using Scales = std::vector<float>;

TEST(Refusals, Quantization) {
    const std::vector<Case> cases = {
        {"no input quantization", bad, [](Node& n) { n.input_q = {}; }},
        {"no output quantization", bad, [](Node& n) { n.output_q = {}; }},
        {"no weight quantization", bad, [](Node& n) { n.weights_q = {}; }},
        {"zero scale", bad, [](Node& n) { n.input_q = quantization(0, 0); }},
        {"negative scale", bad, [](Node& n) { n.weights_q = quantization(-1, 0); }},
        {"infinite scale", bad, [](Node& n) { n.output_q = quantization(INFINITY, 0); }},
        {"scale that is not a number", bad, [](Node& n) { n.output_q = quantization(NAN, 0); }},
        {"input zero point outside", bad, [](Node& n) { n.input_q = quantization(1, 128); }},
        {"output zero point outside", bad, [](Node& n) { n.output_q = quantization(1, -129); }},
        {"weight zero point outside", bad,
         [](Node& n) { n.weights_q = quantization(1, 1LL << 40); }},
        {"input per channel", bad,
         [](Node& n) {
             n.input_q = quantization(Scales{1, 1});
         }},
        {"three scales for four channels", bad,
         [](Node& n) {
             n.weights_q = quantization(Scales{1, 1, 1});
         }},
        {"scales on another axis", bad,
         [](Node& n) {
             n.weights_q = quantization(Scales{1, 1, 1, 1}, 1);
         }},
        {"per channel with a zero point", bad,
         [](Node& n) {
             n.weights_q =
                 quantization(Scales{1, 1, 1, 1}, n.opcode == Opcode::depthwise_conv_2d ? 3 : 0);
             n.weights_q.zero_points[2] = 1;
         }},
        {"ratio of 256", missing, [](Node& n) { n.input_q = quantization(256, 0); }},
        {"ratio that overflows", missing,
         [](Node& n) { n.input_q = n.weights_q = quantization(3e38f, 0); }},
    };
    for (const Case& c : cases)
        for (const Opcode op :
             {Opcode::conv_2d, Opcode::depthwise_conv_2d, Opcode::fully_connected})
            expect_refused(op, c.what, c.code, c.spoil);
    for (const Opcode op : {Opcode::conv_2d, Opcode::depthwise_conv_2d}) {
        expect_refused(op, "no bias", bad, [](Node& n) { n.has_bias = false; });
        expect_refused(op, "int8 weights with a zero point", bad,
                       [](Node& n) { n.weights_q = quantization(1, 5); });
    }
    Node n = valid(Opcode::conv_2d);
    n.input_q = quantization(255.9f, 0);
    EXPECT_TRUE(prepare(n).ok());
    n.input_q = quantization(1e-30f, 0);
    EXPECT_TRUE(prepare(n).ok());
}

// Under a float input the library quantizes otherwise when a bias is computed.
TEST(Refusals, DynamicRangeWithAComputedBias) {
    for (const bool constant : {true, false}) {
        KernelTester conv(Opcode::conv_2d, Conv2dParams{});
        KernelTester rows(Opcode::fully_connected, FullyConnectedParams{});
        conv.input(Shape{1, 1, 1, 2}, std::vector<float>{1, 2});
        rows.input(Shape{1, 2}, std::vector<float>{1, 2});
        conv.constant(Shape{1, 1, 1, 2}, std::vector<std::int8_t>{1, 2}, quantization(1, 0));
        rows.constant(Shape{1, 2}, std::vector<std::int8_t>{1, 2}, quantization(1, 0));
        for (KernelTester* t : {&conv, &rows}) {
            if (constant)
                t->constant(Shape{1}, std::vector<float>{1});
            else
                t->input(Shape{1}, std::vector<float>{1});
            t->output(DType::float32);
            if (constant)
                EXPECT_TRUE(t->run());
            else
                EXPECT_TRUE(t->refuses(Code::unimplemented));
        }
    }
}

TEST(Refusals, TypesAndBias) {
    const std::vector<Case> cases = {
        {"float weights", missing, [](Node& n) { n.weights_dtype = DType::float32; }},
        {"uint8 weights", missing, [](Node& n) { n.weights_dtype = DType::uint8; }},
        {"int16 throughout", missing,
         [](Node& n) {
             n.dtype = n.output_dtype = n.weights_dtype = DType::int16;
             n.bias_float = true;
         }},
        {"float bias", missing, [](Node& n) { n.bias_float = true; }},
        {"short bias", bad, [](Node& n) { n.bias = Shape{3}; }},
        {"long bias", bad, [](Node& n) { n.bias = Shape{5}; }},
        {"TANH", missing, [](Node& n) { n.activation = Activation::tanh; }},
        {"float input, uint8 weights", missing,
         [](Node& n) {
             n.dtype = n.output_dtype = DType::float32;
             n.weights_dtype = DType::uint8;
             n.bias_float = true;
         }},
    };
    for (const Case& c : cases)
        for (const Opcode op :
             {Opcode::conv_2d, Opcode::depthwise_conv_2d, Opcode::fully_connected})
            expect_refused(op, c.what, c.code, c.spoil);
    for (const Opcode op : {Opcode::conv_2d, Opcode::depthwise_conv_2d})
        expect_refused(op, "another output type", bad,
                       [](Node& n) { n.output_dtype = DType::uint8; });
    const Spoil varying = [](Node& n) {
        n.dtype = n.output_dtype = DType::float32;
        n.bias_float = true;
        n.weights_constant = false;
    };
    expect_refused(Opcode::conv_2d, "float input, int8 weights that vary", missing, varying);
    expect_refused(Opcode::fully_connected, "float input, int8 weights that vary", missing,
                   varying);
    expect_refused(Opcode::depthwise_conv_2d, "one scale under a float input", bad, [](Node& n) {
        n.dtype = n.output_dtype = DType::float32;
        n.bias_float = true;
    });
}

TEST(Refusals, Shapes) {
    for (const Opcode op : {Opcode::conv_2d, Opcode::depthwise_conv_2d}) {
        const std::vector<Case> cases = {
            {"input of rank 3", bad,
             [](Node& n) {
                 n.input = Shape{4, 4, 2};
             }},
            {"weights of rank 2", bad,
             [](Node& n) {
                 n.weights = Shape{4, 18};
             }},
            {"filter larger than the input", bad,
             [](Node& n) {
                 n.padding = Padding::valid;
                 n.input = Shape{1, 4, 2, 2};
             }},
            {"dilated filter larger than the input", bad,
             [](Node& n) {
                 n.padding = Padding::valid;
                 n.dilation = 2;
             }},
            {"largest dilation", bad,
             [](Node& n) {
                 n.padding = Padding::valid;
                 n.dilation = 2147483647;
             }},
            {"stride 0", bad, [](Node& n) { n.stride = 0; }},
            {"stride -1", bad, [](Node& n) { n.stride = -1; }},
            {"dilation 0", bad, [](Node& n) { n.dilation = 0; }},
            {"no input channels", bad,
             [](Node& n) {
                 n.input = Shape{1, 4, 4, 0};
             }},
            {"three input channels", bad,
             [](Node& n) {
                 n.input = Shape{1, 4, 4, 3};
             }},
        };
        for (const Case& c : cases) expect_refused(op, c.what, c.code, c.spoil);
    }
    expect_refused(Opcode::conv_2d, "three groups of four outputs", bad, [](Node& n) {
        n.input = Shape{1, 4, 4, 6};
    });
    expect_refused(Opcode::conv_2d, "weights without channels", bad, [](Node& n) {
        n.weights = Shape{4, 3, 3, 0};
    });
    expect_refused(Opcode::conv_2d, "weights without rows", bad, [](Node& n) {
        n.weights = Shape{4, 0, 3, 2};
    });
    expect_refused(Opcode::conv_2d, "no outputs", bad, [](Node& n) {
        n.weights = Shape{0, 3, 3, 2};
    });
    expect_refused(Opcode::depthwise_conv_2d, "two filters", bad, [](Node& n) {
        n.weights = Shape{2, 3, 3, 4};
    });
    const Opcode fc = Opcode::fully_connected;
    expect_refused(fc, "weights of rank 3", bad, [](Node& n) { n.weights = Shape{4, 8, 1}; });
    expect_refused(fc, "rows that do not fit", bad, [](Node& n) { n.weights = Shape{4, 7}; });
    expect_refused(fc, "empty weights", bad, [](Node& n) { n.weights = Shape{4, 0}; });
    expect_refused(fc, "no outputs", bad, [](Node& n) { n.weights = Shape{0, 8}; });
    expect_refused(fc, "last dimension to keep is another", bad,
                   [](Node& n) { n.keep_num_dims = true; });
    expect_refused(fc, "shuffled weights", missing, [](Node& n) { n.shuffled = true; });
}

TEST(Refusals, TooFewTensors) {
    for (const auto& [op, params] : {std::pair<Opcode, Params>{Opcode::conv_2d, Conv2dParams{}},
                                     {Opcode::depthwise_conv_2d, DepthwiseConv2dParams{}},
                                     {Opcode::fully_connected, FullyConnectedParams{}},
                                     {Opcode::max_pool_2d, Pool2dParams{}},
                                     {Opcode::average_pool_2d, Pool2dParams{}}}) {
        KernelTester none(op, params);
        none.output(DType::float32);
        EXPECT_TRUE(none.refuses(bad));
        KernelTester left_out(op, params);
        left_out.no_input();
        left_out.no_input();
        left_out.output(DType::float32);
        EXPECT_TRUE(left_out.refuses(bad));
        KernelTester no_output(op, params);
        no_output.input(Shape{1, 2, 2, 1}, std::vector<float>(4));
        no_output.constant(Shape{1, 1, 1, 1}, std::vector<float>(1));
        EXPECT_TRUE(no_output.refuses(bad));
        EXPECT_EQ(find_kernel(static_cast<std::int32_t>(op))->create(Params{}), nullptr);
    }
}

}  // namespace

}  // namespace skiff::kernels::testing
