// Shapes that change: unknown batches, resized inputs, shapes that depend on values, sizes that no
// memory holds.
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
using Ints = std::vector<std::int32_t>;

TEST(Shapes, AnUnknownBatchIsOneUntilResized) {
    Net net;
    const int x = net.input({1, 2}, DType::float32, {-1, 2});
    net.outputs({net.node(Opcode::add, {x, net.constant({2}, Floats{1, 2})}, {1, 2})});
    auto interpreter = interpret(net.build());
    EXPECT_EQ(interpreter->input_info(0).shape, (Shape{1, 2}));
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{1, 2}));
    ASSERT_TRUE(interpreter->resize_input(0, {3, 2}).ok());
    EXPECT_EQ(interpreter->input_info(0).bytes, 24u);
    EXPECT_TRUE(interpreter->input(0).empty());  // until prepared
    ASSERT_TRUE(interpreter->prepare().ok());
    write_input<float>(*interpreter, 0, {0, 0, 10, 10, 20, 20});
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(interpreter->output_info(0).shape, (Shape{3, 2}));
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{1, 2, 11, 12, 21, 22}));
    ASSERT_TRUE(interpreter->resize_input(0, {1, 2}).ok());
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{1, 2}));
}

TEST(Shapes, AShapeThatAnOperatorCannotTakeIsAnErrorUntilResizedBack) {
    Net net;
    const int x = net.input({2}), y = net.input({2});
    net.outputs({net.node(Opcode::add, {x, y}, {2})});
    auto interpreter = interpret(net.build());
    ASSERT_TRUE(interpreter->invoke().ok());
    ASSERT_TRUE(interpreter->resize_input(0, {3}).ok());
    const Status status = interpreter->prepare();
    ASSERT_FALSE(status.ok());
    EXPECT_TRUE(status.error().message.starts_with("node 0 ADD")) << status.error().message;
    EXPECT_FALSE(interpreter->invoke().ok());
    EXPECT_TRUE(interpreter->input(0).empty());
    EXPECT_TRUE(interpreter->output(0).empty());
    ASSERT_TRUE(interpreter->resize_input(0, {2}).ok());
    ASSERT_TRUE(interpreter->prepare().ok());
    write_input<float>(*interpreter, 0, {1, 2});
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{1, 2}));
}

TEST(Shapes, RefusesDimensionsBelowOne) {
    Net net;
    net.outputs({net.node(Opcode::relu, {net.input({2, 2})}, {2, 2})});
    auto interpreter = interpret(net.build());
    for (const Shape& shape : {Shape{2, 0}, Shape{-1, 2}}) {
        const Status status = interpreter->resize_input(0, shape);
        ASSERT_FALSE(status.ok());
        EXPECT_EQ(status.error().code, Code::invalid_argument);
        EXPECT_TRUE(status.error().message.starts_with("resizing input 'in0': "));
    }
    EXPECT_EQ(interpreter->input_info(0).shape, (Shape{2, 2}));
}

TEST(Shapes, WhatNoMemoryHoldsIsAnError) {
    Net net;
    const int x = net.input({2});
    net.outputs({net.node(Opcode::add, {x, x}, {2})});
    auto interpreter = interpret(net.build());
    // The product overflows.
    const std::int32_t huge = 2'000'000'000;
    Status status = interpreter->resize_input(0, {huge, huge, huge});
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::resource_exhausted);
    // 1 TiB: a valid size, above what the machine has.
    ASSERT_TRUE(interpreter->resize_input(0, {1 << 14, 1 << 12, 1 << 12}).ok());
    status = interpreter->prepare();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::resource_exhausted);
    ASSERT_TRUE(interpreter->resize_input(0, {2}).ok());
    EXPECT_TRUE(interpreter->invoke().ok());
}

TEST(Shapes, AnOutputThatNoMemoryHoldsIsAnErrorOfItsNode) {
    Net net;
    const int x = net.input({1, 1});
    const int edges = net.constant({2, 2}, Ints{0, 2'000'000, 0, 2'000'000});
    net.outputs({net.node(Opcode::pad, {x, edges}, {1, 1})});
    auto interpreter = interpret(net.build());
    const Status status = interpreter->prepare();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::resource_exhausted);
    EXPECT_TRUE(status.error().message.starts_with("node 0 PAD")) << status.error().message;
}

// x -> RESHAPE by an input -> ADD -> RESHAPE by another input, and a branch before it all.
std::unique_ptr<Interpreter> reshaped_by_inputs() {
    Net net;
    const int x = net.input({4}), first = net.input({2}, DType::int32),
              second = net.input({1}, DType::int32);
    const int before = net.node(Opcode::add, {x, x}, {4});
    const int table = net.node(Opcode::reshape, {before, first}, {1, 1});
    const int sum = net.node(Opcode::add, {table, net.constant({1}, Floats{1})}, {1, 1});
    const int flat = net.node(Opcode::reshape, {sum, second}, {1});
    net.outputs({flat, table, net.node(Opcode::mul, {flat, before}, {1})});
    return interpret(net.build());
}

TEST(Shapes, ThatDependOnValuesAreFoundInInvoke) {
    auto interpreter = reshaped_by_inputs();
    ASSERT_TRUE(interpreter->prepare().ok());
    EXPECT_FALSE(interpreter->is_static());
    EXPECT_TRUE(interpreter->output(0).empty());
    for (const Ints& first : {Ints{2, 2}, Ints{1, 4}, Ints{4, 1}}) {
        write_input<float>(*interpreter, 0, {1, 2, 3, 4});
        write_input<std::int32_t>(*interpreter, 1, first);
        write_input<std::int32_t>(*interpreter, 2, {-1});
        const Status status = interpreter->invoke();
        ASSERT_TRUE(status.ok()) << status.error().message;
        EXPECT_EQ(interpreter->output_info(1).shape, (Shape{first[0], first[1]}));
        EXPECT_EQ(interpreter->output_info(0).shape, (Shape{4}));
        EXPECT_EQ(read_output(*interpreter, 0), (Floats{3, 5, 7, 9}));
        EXPECT_EQ(read_output(*interpreter, 1), (Floats{2, 4, 6, 8}));
        EXPECT_EQ(read_output(*interpreter, 2), (Floats{6, 20, 42, 72}));
    }
}

// The second RESHAPE's shape is what the first makes: two stretches, and last time's values are
// still in memory.
TEST(Shapes, ThatDependOnValuesOfThisInvocation) {
    Net net;
    const int x = net.input({4}), wanted = net.input({1, 2}, DType::int32),
              flat = net.input({1}, DType::int32);
    const int shape = net.tensor({.name = "shape", .dtype = DType::int32, .shape = {2}});
    model::OperatorSpec flatten;
    flatten.builtin_code = static_cast<std::int32_t>(Opcode::reshape);
    flatten.inputs = {wanted, flat};
    flatten.outputs = {shape};
    net.op(flatten);
    net.outputs({net.node(Opcode::reshape, {x, shape}, {1, 1})});
    auto interpreter = interpret(net.build());
    ASSERT_TRUE(interpreter->prepare().ok());
    for (const Ints& dims : {Ints{2, 2}, Ints{1, 4}, Ints{4, 1}}) {
        write_input<float>(*interpreter, 0, {1, 2, 3, 4});
        write_input<std::int32_t>(*interpreter, 1, dims);
        write_input<std::int32_t>(*interpreter, 2, {2});
        const Status status = interpreter->invoke();
        ASSERT_TRUE(status.ok()) << status.error().message;
        EXPECT_EQ(interpreter->output_info(0).shape, (Shape{dims[0], dims[1]}));
        EXPECT_EQ(read_output(*interpreter, 0), (Floats{1, 2, 3, 4}));
    }
}

TEST(Shapes, WhatALaterStretchReadsOutlivesItsOwn) {
    Net net;
    const int x = net.input({4}), shape = net.input({2}, DType::int32);
    const int kept = net.node(Opcode::add, {x, x}, {4});
    int y = x;
    for (int i = 0; i < 4; ++i) y = net.node(Opcode::add, {y, x}, {4});
    net.outputs({net.node(Opcode::reshape, {kept, shape}, {2, 2}), y});
    auto interpreter = interpret(net.build());
    ASSERT_TRUE(interpreter->prepare().ok());
    write_input<float>(*interpreter, 0, {1, 2, 3, 4});
    write_input<std::int32_t>(*interpreter, 1, {2, 2});
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{2, 4, 6, 8}));
    EXPECT_EQ(read_output(*interpreter, 1), (Floats{5, 10, 15, 20}));
}

TEST(Shapes, ImpossibleValuesFailThatInvocationOnly) {
    auto interpreter = reshaped_by_inputs();
    ASSERT_TRUE(interpreter->prepare().ok());
    write_input<float>(*interpreter, 0, {1, 2, 3, 4});
    write_input<std::int32_t>(*interpreter, 1, {3, 3});
    write_input<std::int32_t>(*interpreter, 2, {4});
    const Status status = interpreter->invoke();
    ASSERT_FALSE(status.ok());
    EXPECT_TRUE(status.error().message.starts_with("node 1 RESHAPE")) << status.error().message;
    write_input<std::int32_t>(*interpreter, 1, {2, 2});
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{3, 5, 7, 9}));
}

}  // namespace
}  // namespace skiff::runtime
