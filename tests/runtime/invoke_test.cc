// What happens while an invocation runs: no allocation, cancel, profile.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/runtime/test_models.h"

#ifdef SKIFF_SANITIZED
#define SKIFF_COUNT_ALLOCATIONS 0
#else
#define SKIFF_COUNT_ALLOCATIONS 1
#endif

namespace {
std::atomic<long> allocations = 0;
}

#if SKIFF_COUNT_ALLOCATIONS
// glibc's own names stay reachable when a program brings its malloc. operator new ends here too, if
// it sees these.
#pragma GCC visibility push(default)
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t bytes) {
    ++allocations;
    return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
    ++allocations;
    return __libc_calloc(count, bytes);
}
void* realloc(void* memory, std::size_t bytes) {
    ++allocations;
    return __libc_realloc(memory, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
    ++allocations;
    return __libc_memalign(alignment, bytes);
}
}
#pragma GCC visibility pop
#endif

namespace skiff::runtime {
namespace {

using kernels::Opcode;
using testing::interpret;
using testing::Net;
using testing::read_output;
using testing::write_input;
using Floats = std::vector<float>;

std::shared_ptr<const model::Model> small_net() {
    Net net;
    const int x = net.input({1, 32});
    const int a = net.fully_connected(x, 48, 32, 1);
    const int b = net.node(Opcode::relu, {a}, {1, 48});
    const int c = net.fully_connected(b, 16, 48, 2);
    const int d = net.node(Opcode::logistic, {c}, {1, 16});
    const int e = net.concatenation({c, d}, 1, {1, 32});
    const int shape = net.constant({2}, std::vector<std::int32_t>{2, 16});
    net.outputs(
        {net.node(Opcode::reshape, {net.node(Opcode::add, {e, x}, {1, 32}), shape}, {2, 16})});
    return net.build();
}

TEST(Invoke, AllocatesNothing) {
    if (!SKIFF_COUNT_ALLOCATIONS) GTEST_SKIP() << "a sanitizer owns malloc";
    {
        const long before = allocations;
        ::operator delete(::operator new(1));  // a new expression may be left out
        ASSERT_GT(allocations, before) << "the counter does not count";
    }
    for (int threads : {1, 3}) {
        InterpreterOptions options;
        options.threads = threads;
        auto interpreter = interpret(small_net(), options);
        ASSERT_TRUE(interpreter->prepare().ok());
        write_input<float>(*interpreter, 0, Floats(32, 0.5f));
        for (int i = 0; i < 3; ++i) {
            const long before = allocations;
            const Status status = interpreter->invoke();
            const long after = allocations;
            ASSERT_TRUE(status.ok());
            EXPECT_EQ(after, before) << threads << " threads, invocation " << i;
        }
    }
}

TEST(Invoke, TellsTheProfilerOfEveryNode) {
    auto interpreter = interpret(small_net());
    std::vector<int> nodes;
    interpreter->set_profile_sink([&](const NodeTiming& timing) {
        nodes.push_back(timing.node);
        EXPECT_GE(timing.nanoseconds, 0);
    });
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(nodes, (std::vector<int>{0, 1, 2, 3, 4, 5, 6}));
    interpreter->set_profile_sink({});
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(nodes.size(), 7u);
}

TEST(Invoke, StopsBetweenNodesWhenCancelledAndWorksAgain) {
    auto interpreter = interpret(small_net());
    ASSERT_TRUE(interpreter->prepare().ok());
    write_input<float>(*interpreter, 0, Floats(32, 0.5f));
    ASSERT_TRUE(interpreter->invoke().ok());
    const Floats expected = read_output(*interpreter, 0);
    int last = -1;
    interpreter->set_profile_sink([&](const NodeTiming& timing) {
        last = timing.node;
        if (last == 2) std::thread([&] { interpreter->cancel(); }).join();
    });
    const Status status = interpreter->invoke();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::cancelled);
    EXPECT_EQ(last, 2);
    interpreter->set_profile_sink({});
    ASSERT_TRUE(interpreter->invoke().ok());
    EXPECT_EQ(read_output(*interpreter, 0), expected);
}

TEST(Invoke, ACancelBetweenInvocationsIsForgotten) {
    auto interpreter = interpret(small_net());
    interpreter->cancel();
    EXPECT_TRUE(interpreter->invoke().ok());
}

}  // namespace
}  // namespace skiff::runtime
