#include "runtime/interpreter.h"

#include <gtest/gtest.h>

#include "tests/runtime/test_models.h"

namespace skiff::runtime {
namespace {

using kernels::Opcode;
using testing::interpret;
using testing::Net;
using testing::read_output;
using testing::write_input;
using Floats = std::vector<float>;

TEST(Interpreter, ComputesAndDescribesItsInterface) {
    Net net;
    const int x = net.input({1, 3}), y = net.input({1, 3});
    net.outputs({net.node(Opcode::add, {x, y}, {1, 3})});
    auto interpreter = interpret(net.build());
    EXPECT_EQ(interpreter->name(), "skiff");
    ASSERT_EQ(interpreter->input_count(), 2u);
    ASSERT_EQ(interpreter->output_count(), 1u);
    EXPECT_EQ(interpreter->input_info(1).name, "in1");
    EXPECT_EQ(interpreter->input_info(1).bytes, 12u);
    EXPECT_TRUE(interpreter->input(0).empty());  // before prepare
    ASSERT_TRUE(interpreter->prepare().ok());
    EXPECT_TRUE(interpreter->is_static());
    write_input<float>(*interpreter, 0, {1, 2, 3});
    write_input<float>(*interpreter, 1, {10, 20, 30});
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{11, 22, 33}));
    EXPECT_EQ(interpreter->output_info(0).shape, (Shape{1, 3}));
}

TEST(Interpreter, InputsAreZeroAtFirstAndKeepTheirBytesOverInvocations) {
    Net net;
    const int x = net.input({2});
    int y = x;
    for (int i = 0; i < 6; ++i) y = net.node(Opcode::add, {y, y}, {2});
    net.outputs({y});
    auto interpreter = interpret(net.build());
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{0, 0}));
    write_input<float>(*interpreter, 0, {1, -1});
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(interpreter->invoke().ok());
        EXPECT_EQ(read_output(*interpreter, 0), (Floats{64, -64}));
    }
}

TEST(Interpreter, RefusesNoThreads) {
    Net net;
    net.outputs({net.input({1})});
    InterpreterOptions options;
    options.threads = 0;
    EXPECT_EQ(Interpreter::create(net.build(), options).error().code, Code::invalid_argument);
}

// Outputs that no node writes, or that are listed twice; inputs that nobody reads.
TEST(Interpreter, TakesUnusualInterfaces) {
    Net net;
    const int x = net.input({2}), unread = net.input({2});
    const int constant = net.constant({2}, Floats{5, 6});
    const int sum = net.node(Opcode::add, {x, constant}, {2});
    net.outputs({sum, x, constant, sum, unread});
    auto interpreter = interpret(net.build());
    ASSERT_TRUE(interpreter->prepare().ok());
    write_input<float>(*interpreter, 0, {1, 2});
    write_input<float>(*interpreter, 1, {7, 8});
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{6, 8}));
    EXPECT_EQ(read_output(*interpreter, 1), (Floats{1, 2}));
    EXPECT_EQ(read_output(*interpreter, 2), (Floats{5, 6}));
    EXPECT_EQ(read_output(*interpreter, 3), (Floats{6, 8}));
    EXPECT_EQ(read_output(*interpreter, 4), (Floats{7, 8}));
}

TEST(Interpreter, ListsWhatIsMissing) {
    Net net;
    const int x = net.input({2});
    int y = x;
    auto add = [&](std::int32_t code, int version, const char* custom) {
        model::OperatorSpec spec;
        spec.builtin_code = code;
        spec.version = version;
        spec.custom_code = custom;
        spec.inputs = {y};
        spec.outputs = {y = net.tensor({.name = "", .shape = {2}})};
        net.op(std::move(spec));
    };
    add(101, 1, "");  // ABS
    add(32, 1, "Foo");
    add(101, 1, "");
    add(19, 99, "");  // RELU of the future
    net.outputs({net.node(Opcode::relu, {y}, {2})});
    const auto model = net.build();
    ASSERT_TRUE(model);
    EXPECT_EQ(
        missing_operators(*model),
        (std::vector<std::string>{"ABS (version 1) x2", "CUSTOM Foo x1", "RELU (version 99) x1"}));
    const auto result = Interpreter::create(model);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Code::unimplemented);
    EXPECT_EQ(
        result.error().message,
        "model needs operators this runtime does not have: ABS (version 1) x2, CUSTOM Foo x1, "
        "RELU (version 99) x1");
}

TEST(Interpreter, RefusesElementTypesWithoutWholeBytes) {
    for (DType dtype : {DType::string, DType::int4}) {
        Net net;
        net.outputs({net.input({2}, dtype)});
        const auto result = Interpreter::create(net.build());
        ASSERT_FALSE(result.ok());
        EXPECT_EQ(result.error().code, Code::unimplemented);
        EXPECT_EQ(result.error().message, "tensor 'in0' has the element type " +
                                              std::string(dtype_name(dtype)) +
                                              ", which this runtime does not compute with");
    }
}

TEST(Interpreter, SignaturesSelectAndNameTheInterface) {
    Net net;
    const int x = net.input({1}), y = net.input({1});
    const int sum = net.node(Opcode::add, {x, y}, {1}),
              difference = net.node(Opcode::sub, {x, y}, {1});
    net.outputs({sum, difference});
    net.builder.add_signature({"minus", {{"b", y}, {"a", x}}, {{"result", difference}}});
    net.builder.add_signature({"plus", {{"a", x}, {"b", y}}, {{"result", sum}}});
    const auto model = net.build();
    InterpreterOptions options;
    options.signature = "minus";
    auto interpreter = interpret(model, options);
    ASSERT_EQ(interpreter->output_count(), 1u);
    EXPECT_EQ(interpreter->input_info(0).name, "a");
    EXPECT_EQ(interpreter->input_info(1).name, "b");
    EXPECT_EQ(interpreter->output_info(0).name, "result");
    ASSERT_TRUE(interpreter->prepare().ok());
    write_input<float>(*interpreter, 0, {7});
    write_input<float>(*interpreter, 1, {2});
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{5}));

    options.signature = "times";
    const auto unknown = Interpreter::create(model, options);
    ASSERT_FALSE(unknown.ok());
    EXPECT_EQ(unknown.error().code, Code::not_found);
    EXPECT_EQ(unknown.error().message, "the model has no signature 'times'; it has: minus, plus");
}

TEST(Interpreter, ErrorsOfNodesNameTheNode) {
    Net net;
    const int x = net.input({4});
    const int y = net.node(Opcode::relu, {x}, {4});
    const int shape = net.constant({2}, std::vector<std::int32_t>{3, 3});
    net.outputs({net.node(Opcode::reshape, {y, shape}, {3, 3})});
    auto interpreter = interpret(net.build());
    const Status status = interpreter->prepare();
    ASSERT_FALSE(status.ok());
    EXPECT_TRUE(status.error().message.starts_with("node 1 RESHAPE (output 't3'): "))
        << status.error().message;
}

TEST(Interpreter, ComputesConstantNodesOnce) {
    Net net;
    const int x = net.input({2});
    const int stored = net.tensor({.name = "stored",
                                   .dtype = DType::int8,
                                   .shape = {2},
                                   .scales = {0.5f},
                                   .zero_points = {1},
                                   .data = {3, 5}});
    const int weights = net.node(Opcode::dequantize, {stored}, {2});  // {1, 2}
    const int twice = net.node(Opcode::add, {weights, weights}, {2});
    net.outputs({net.node(Opcode::mul, {x, twice}, {2}), twice});
    auto interpreter = interpret(net.build());
    std::vector<int> ran;
    interpreter->set_profile_sink([&](const NodeTiming& timing) { ran.push_back(timing.node); });
    ASSERT_TRUE(interpreter->prepare().ok());
    EXPECT_GT(interpreter->memory().persistent_bytes, 0u);
    EXPECT_TRUE(interpreter->tensor(weights).constant);
    for (int i = 0; i < 2; ++i) {
        write_input<float>(*interpreter, 0, {10, 100});
        ASSERT_TRUE(interpreter->invoke().ok());
        EXPECT_EQ(read_output(*interpreter, 0), (Floats{20, 400}));
        EXPECT_EQ(read_output(*interpreter, 1), (Floats{2, 4}));
    }
    EXPECT_EQ(ran, (std::vector<int>{2, 2}));
}

TEST(Interpreter, VariablesStartAtZeroAndReset) {
    Net net;
    model::TensorSpec variable{.name = "state", .shape = {2}};
    variable.is_variable = true;
    const int state = net.tensor(variable);
    variable = {.name = "quantized",
                .dtype = DType::int8,
                .shape = {2},
                .scales = {0.5f},
                .zero_points = {-7}};
    variable.is_variable = true;
    const int quantized = net.tensor(variable);
    const int x = net.input({2});
    net.outputs({net.node(Opcode::add, {x, state}, {2}),
                 net.node(Opcode::dequantize, {quantized}, {2}), state});
    auto interpreter = interpret(net.build());
    ASSERT_TRUE(interpreter->prepare().ok());
    write_input<float>(*interpreter, 0, {3, 4});
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{3, 4}));
    EXPECT_EQ(read_output(*interpreter, 1), (Floats{0, 0}));
    EXPECT_EQ(read_output(*interpreter, 2), (Floats{0, 0}));
    EXPECT_EQ(interpreter->tensor(quantized).as<std::int8_t>()[0], -7);
    // As a stateful operator would: the contents stay until reset_state().
    const_cast<kernels::Tensor&>(interpreter->tensor(state)).as<float>()[0] = 5;
    const_cast<kernels::Tensor&>(interpreter->tensor(quantized)).as<std::int8_t>()[0] = 5;
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{8, 4}));
    EXPECT_EQ(read_output(*interpreter, 1), (Floats{6, 0}));
    ASSERT_TRUE(interpreter->reset_state().ok());
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{3, 4}));
    EXPECT_EQ(read_output(*interpreter, 1), (Floats{0, 0}));
}

TEST(Interpreter, RefusesOperatorsThatWriteAVariableAsAnOutput) {
    Net net;
    const int x = net.input({2});
    model::TensorSpec variable{.name = "state", .shape = {2}};
    variable.is_variable = true;
    const int state = net.tensor(variable);
    model::OperatorSpec relu;
    relu.builtin_code = 19;
    relu.inputs = {x};
    relu.outputs = {state};
    net.op(relu);
    net.outputs({state});
    const auto result = Interpreter::create(net.build());
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Code::unimplemented);
}

TEST(Interpreter, ThreadsGiveTheSameResult) {
    Net net;
    const int x = net.input({1, 64});
    net.outputs({net.fully_connected(net.fully_connected(x, 96, 64, 1), 128, 96, 2)});
    const auto model = net.build();
    std::vector<Floats> results;
    for (int threads : {1, 4}) {
        InterpreterOptions options;
        options.threads = threads;
        auto interpreter = interpret(model, options);
        ASSERT_TRUE(interpreter->prepare().ok());
        write_input<float>(*interpreter, 0, Floats(64, 0.25f));
        ASSERT_TRUE(interpreter->invoke().ok());
        results.push_back(read_output(*interpreter, 0));
    }
    EXPECT_EQ(results[0], results[1]);
}

TEST(Interpreter, PreservesAllTensorsOnRequest) {
    Net net;
    const int x = net.input({2});
    std::vector<int> inner;
    int y = x;
    for (int i = 0; i < 4; ++i) inner.push_back(y = net.node(Opcode::add, {y, x}, {2}));
    net.outputs({net.node(Opcode::relu, {y}, {2})});
    InterpreterOptions options;
    options.preserve_all_tensors = true;
    auto interpreter = interpret(net.build(), options);
    ASSERT_TRUE(interpreter->prepare().ok());
    write_input<float>(*interpreter, 0, {1, 2});
    ASSERT_TRUE(interpreter->invoke().ok());
    for (std::size_t i = 0; i < inner.size(); ++i)
        EXPECT_EQ(interpreter->tensor(inner[i]).as<float>()[1], 2.f * static_cast<float>(i + 2));
}

}  // namespace
}  // namespace skiff::runtime
