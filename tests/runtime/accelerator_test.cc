// The accelerator seam: whatever is claimed, refused, or refused late, results are the CPU's.
#include "runtime/accelerator.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "tests/runtime/test_accelerator.h"
#include "tests/runtime/test_models.h"

namespace skiff::runtime {
namespace {

using kernels::Opcode;
using testing::interpret;
using testing::Net;
using testing::random_claims;
using testing::read_output;
using testing::TestAccelerator;
using testing::TestBehaviour;
using testing::write_input;
using Floats = std::vector<float>;

// A random graph on two inputs of [n,4]: element-wise operators (which like to work in place),
// joins and branches, several outputs.
std::shared_ptr<const model::Model> random_net(unsigned seed) {
    std::mt19937 random(seed);
    Net net;
    std::vector<std::int32_t> tensors = {net.input({1, 4}, DType::float32, {-1, 4}),
                                         net.input({1, 4}, DType::float32, {-1, 4}),
                                         net.constant({4}, Floats{0.5f, -1, 0.25f, 2})};
    const int nodes = 3 + static_cast<int>(random() % 25);
    auto pick = [&] {
        const std::size_t recent = std::min<std::size_t>(tensors.size(), 5);
        return tensors[tensors.size() - 1 - random() % recent];
    };
    std::vector<std::int32_t> outputs;
    for (int n = 0; n < nodes; ++n) {
        int a = pick();
        if (a == tensors[2]) a = tensors[0];  // no node of constants alone
        switch (random() % 5) {
            case 0:
                tensors.push_back(net.node(Opcode::relu, {a}, {1, 4}));
                break;
            case 1:
                tensors.push_back(net.node(Opcode::logistic, {a}, {1, 4}));
                break;
            case 2:
                tensors.push_back(net.node(Opcode::sub, {a, pick()}, {1, 4}));
                break;
            case 3:
                tensors.push_back(net.node(Opcode::mul, {a, pick()}, {1, 4}));
                break;
            default:
                tensors.push_back(net.node(Opcode::add, {a, pick()}, {1, 4}));
        }
        if (random() % 6 == 0) outputs.push_back(tensors.back());
    }
    outputs.push_back(tensors.back());
    net.outputs(outputs);
    return net.build();
}

std::vector<Floats> run(Interpreter& interpreter, unsigned seed) {
    std::mt19937 random(seed);
    if (const Status status = interpreter.prepare(); !status.ok())
        ADD_FAILURE() << status.error().message;
    for (std::size_t i = 0; i < interpreter.input_count(); ++i) {
        Floats values(interpreter.input(i).size() / 4);
        for (float& v : values) v = static_cast<float>(random() % 2001) / 500.f - 2.f;
        write_input(interpreter, i, values);
    }
    if (const Status status = interpreter.invoke(); !status.ok())
        ADD_FAILURE() << status.error().message;
    std::vector<Floats> results;
    for (std::size_t i = 0; i < interpreter.output_count(); ++i)
        results.push_back(read_output(interpreter, i));
    return results;
}

std::vector<Floats> invoke_again(Interpreter& interpreter) {
    if (const Status status = interpreter.invoke(); !status.ok())
        ADD_FAILURE() << status.error().message;
    std::vector<Floats> results;
    for (std::size_t i = 0; i < interpreter.output_count(); ++i)
        results.push_back(read_output(interpreter, i));
    return results;
}

InterpreterOptions with(std::vector<std::shared_ptr<Accelerator>> accelerators) {
    InterpreterOptions options;
    options.accelerators = std::move(accelerators);
    return options;
}

TEST(RandomGraphs, SharedMemoryGivesWhatSeparateMemoryGives) {
    for (unsigned seed = 0; seed < 150; ++seed) {
        const auto model = random_net(seed);
        InterpreterOptions separate;
        separate.preserve_all_tensors = true;
        auto expected = interpret(model, separate);
        auto interpreter = interpret(model);
        EXPECT_EQ(run(*interpreter, seed), run(*expected, seed)) << "seed " << seed;
        const MemoryUse memory = interpreter->memory();
        EXPECT_LE(static_cast<double>(memory.arena_bytes),
                  1.1 * static_cast<double>(memory.largest_live_bytes));
    }
}

TEST(Accelerators, OfRandomClaimsGiveTheCpusResults) {
    int used = 0;
    for (unsigned seed = 0; seed < 200; ++seed) {
        const auto model = random_net(seed);
        auto cpu = interpret(model);
        auto accelerator = std::make_shared<TestAccelerator>(TestBehaviour{
            random_claims(cpu->node_count(), 20 + static_cast<int>(seed) % 80, seed)});
        auto interpreter = interpret(model, with({accelerator}));
        EXPECT_EQ(run(*interpreter, seed), run(*cpu, seed)) << "seed " << seed;
        EXPECT_EQ(accelerator->invoked, accelerator->compiled);
        used += interpreter->accelerated_nodes()[0];
    }
    EXPECT_GT(used, 500);
}

TEST(Accelerators, ThatRefuseAtAnyPointGiveTheCpusResults) {
    int refused = 0;
    for (unsigned seed = 0; seed < 200; ++seed) {
        const auto model = random_net(seed);
        auto cpu = interpret(model);
        TestBehaviour behaviour{random_claims(cpu->node_count(), 60, seed),
                                static_cast<int>(seed % 3) * 30, 40, false, seed};
        auto accelerator = std::make_shared<TestAccelerator>(behaviour);
        behaviour.claimed = random_claims(cpu->node_count(), 50, seed + 1000);
        auto second = std::make_shared<TestAccelerator>(behaviour, "second");
        auto interpreter = interpret(model, with({accelerator, second}));
        const auto expected = run(*cpu, seed);
        EXPECT_EQ(run(*interpreter, seed), expected) << "seed " << seed;
        for (int again = 0; again < 3; ++again)
            EXPECT_EQ(invoke_again(*interpreter), expected) << "seed " << seed;
        // After a resize it is offered what it has not refused at invoke.
        for (Interpreter* each : {cpu.get(), interpreter.get()}) {
            ASSERT_TRUE(each->resize_input(0, {3, 4}).ok());
            ASSERT_TRUE(each->resize_input(1, {3, 4}).ok());
        }
        EXPECT_EQ(run(*interpreter, seed), run(*cpu, seed)) << "seed " << seed << ", resized";
        refused += accelerator->refused + second->refused;
    }
    EXPECT_GT(refused, 200);
}

TEST(Accelerators, ThatLieAreVisibleInAComparison) {
    int visible = 0, used = 0;
    for (unsigned seed = 0; seed < 20; ++seed) {
        const auto model = random_net(seed);
        auto cpu = interpret(model);
        std::set<int> all;
        for (std::size_t n = 0; n < cpu->node_count(); ++n) all.insert(static_cast<int>(n));
        auto liar = std::make_shared<TestAccelerator>(TestBehaviour{all, 0, 0, true});
        auto interpreter = interpret(model, with({liar}));
        visible += run(*interpreter, seed) != run(*cpu, seed);
        used += liar->invoked > 0;
    }
    EXPECT_EQ(visible, 20);
    EXPECT_EQ(used, 20);
}

// x -> RELU -> LOGISTIC -> RELU -> ADD x
std::shared_ptr<const model::Model> chain() {
    Net net;
    const int x = net.input({1, 4}, DType::float32, {-1, 4});
    int y = x;
    for (Opcode opcode : {Opcode::relu, Opcode::logistic, Opcode::relu})
        y = net.node(opcode, {y}, {1, 4});
    net.outputs({net.node(Opcode::add, {y, x}, {1, 4})});
    return net.build();
}

TEST(Accelerators, GetConnectedNodesAsOneAndAreCompiledAgainAfterAResize) {
    auto accelerator = std::make_shared<TestAccelerator>(TestBehaviour{{0, 1, 3}});
    auto interpreter = interpret(chain(), with({accelerator}));
    std::vector<int> ran;
    interpreter->set_profile_sink([&](const NodeTiming& timing) { ran.push_back(timing.node); });
    run(*interpreter, 1);
    EXPECT_EQ(accelerator->partitions, (std::vector<std::vector<int>>{{0, 1}, {3}}));
    EXPECT_EQ(interpreter->accelerated_nodes(), std::vector<int>{3});
    EXPECT_EQ(ran, (std::vector<int>{0, 2, 3}));
    ASSERT_TRUE(interpreter->resize_input(0, {5, 4}).ok());
    run(*interpreter, 1);
    EXPECT_EQ(accelerator->compiled, 4);
}

TEST(Accelerators, AreAskedInOrderAndGetWhatTheOneBeforeRefuses) {
    const std::set<int> all = {0, 1, 2, 3};
    auto first = std::make_shared<TestAccelerator>(TestBehaviour{{1, 2}}, "first");
    auto second = std::make_shared<TestAccelerator>(TestBehaviour{all}, "second");
    auto interpreter = interpret(chain(), with({first, second}));
    run(*interpreter, 1);
    EXPECT_EQ(interpreter->accelerated_nodes(), (std::vector<int>{2, 2}));

    auto refusing = std::make_shared<TestAccelerator>(TestBehaviour{{1, 2}, 100}, "refusing");
    interpreter = interpret(chain(), with({refusing, second}));
    run(*interpreter, 1);
    EXPECT_EQ(interpreter->accelerated_nodes(), (std::vector<int>{0, 4}));
}

TEST(Accelerators, ThatRefuseAtInvokeAreDropped) {
    auto accelerator = std::make_shared<TestAccelerator>(TestBehaviour{{0, 1}, 0, 100});
    auto interpreter = interpret(chain(), with({accelerator}));
    std::vector<int> ran;
    interpreter->set_profile_sink([&](const NodeTiming& timing) { ran.push_back(timing.node); });
    const auto expected = run(*interpret(chain()), 1);
    EXPECT_EQ(run(*interpreter, 1), expected);
    EXPECT_EQ(ran, (std::vector<int>{0, 1, 2, 3}));
    EXPECT_EQ(interpreter->accelerated_nodes(), std::vector<int>{0});
    EXPECT_EQ(invoke_again(*interpreter), expected);
    EXPECT_EQ(accelerator->invoked, 1);
    ASSERT_TRUE(interpreter->resize_input(0, {2, 4}).ok());
    run(*interpreter, 1);
    EXPECT_EQ(accelerator->compiled, 1);
    EXPECT_EQ(accelerator->invoked, 1);
}

TEST(Accelerators, AreNotOfferedConstantNodesVariablesAndShapesThatDependOnValues) {
    Net net;
    const int x = net.input({4}), shape = net.input({2}, DType::int32);
    model::TensorSpec variable{.name = "state", .shape = {4}};
    variable.is_variable = true;
    const int state = net.tensor(variable);
    const int constant = net.constant({4}, Floats{1, 2, 3, 4});
    const int folded = net.node(Opcode::relu, {constant}, {4});        // node 0
    const int stateful = net.node(Opcode::add, {x, state}, {4});       // node 1
    const int plain = net.node(Opcode::add, {stateful, folded}, {4});  // node 2
    const int dynamic = net.node(Opcode::reshape, {plain, shape}, {2, 2});
    net.outputs({net.node(Opcode::relu, {dynamic}, {2, 2})});
    auto accelerator = std::make_shared<TestAccelerator>(TestBehaviour{{0, 1, 2, 3, 4}});
    auto interpreter = interpret(net.build(), with({accelerator}));
    ASSERT_TRUE(interpreter->prepare().ok());
    EXPECT_EQ(accelerator->partitions, (std::vector<std::vector<int>>{{2}}));
    write_input<float>(*interpreter, 0, {10, 20, 30, 40});
    write_input<std::int32_t>(*interpreter, 1, {2, 2});
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), (Floats{11, 22, 33, 44}));
}

}  // namespace
}  // namespace skiff::runtime
