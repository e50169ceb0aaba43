#include "device/loaded_version.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "host/std_clock.h"
#include "tests/device/counts.h"
#include "tests/runtime/test_models.h"

namespace skiff::device {

namespace {

using runtime::testing::Net;
using runtime::testing::read_output;
using runtime::testing::write_input;
using telemetry::Outcome;
using Floats = std::vector<float>;

std::shared_ptr<const model::Model> adder() {
    Net net;
    const int x = net.input({2});
    net.outputs({net.node(kernels::Opcode::add, {x, x}, {2})});
    return net.build();
}

class Loaded : public ::testing::Test {
 protected:
    std::shared_ptr<LoadedVersion> load(std::shared_ptr<const model::Model> model,
                                        std::function<void()> on_exposure = {}) {
        auto loaded = LoadedVersion::load({"m", 3, ""}, std::move(model), {},
                                          {clock_, &cell_, std::move(on_exposure)}, nullptr);
        CHECK(loaded.ok());
        return *loaded;
    }
    static std::unique_ptr<BorrowedEngine> borrow(LoadedVersion& version) {
        auto engine = version.borrow();
        CHECK(engine.ok());
        return std::move(*engine);
    }
    static const void* memory_of(BorrowedEngine& engine) { return engine.input(0).data(); }

    testing::Counts cell_;
    std::shared_ptr<host::Clock> clock_ = std::make_shared<testing::TickingClock>(7'000);
};

TEST_F(Loaded, computes_and_says_what_it_is) {
    const auto version = load(adder());
    const auto engine = borrow(*version);
    EXPECT_EQ(engine->version(), (Version{"m", 3, ""}));
    EXPECT_FALSE(engine->stale());
    EXPECT_EQ(engine->name(), "skiff");
    EXPECT_EQ(engine->input_count(), 1u);
    EXPECT_EQ(engine->output_count(), 1u);
    EXPECT_EQ(engine->input_info(0).name, "in0");
    write_input<float>(*engine, 0, {1, 2});
    ASSERT_TRUE(engine->invoke().ok());
    EXPECT_EQ(read_output(*engine, 0), (Floats{2, 4}));
    EXPECT_EQ(engine->output_info(0).shape, (Shape{2}));
}

TEST_F(Loaded, what_cannot_run_is_refused_by_name) {
    Net net;
    const int x = net.input({2});
    model::OperatorSpec custom;
    custom.builtin_code = 32;
    custom.custom_code = "Nobody";
    custom.inputs = {x};
    custom.outputs = {net.tensor({.shape = {2}})};
    net.op(custom);
    net.outputs(custom.outputs);
    const auto refused =
        LoadedVersion::load({"m", 3, ""}, net.build(), {}, {clock_, &cell_, {}}, nullptr);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Code::unimplemented);
    EXPECT_TRUE(refused.error().message.starts_with("m:3: ")) << refused.error().message;
    EXPECT_TRUE(cell_.loads_ns.empty());
}

TEST_F(Loaded, what_comes_back_is_lent_again) {
    const auto version = load(adder());
    auto first = borrow(*version);
    const auto second = borrow(*version);
    const void* const kept = memory_of(*first);
    EXPECT_NE(kept, memory_of(*second));
    first.reset();
    EXPECT_EQ(memory_of(*borrow(*version)), kept);
}

TEST_F(Loaded, at_most_eight_are_kept) {
    const auto version = load(adder());
    std::vector<std::unique_ptr<BorrowedEngine>> lent;
    for (int i = 0; i < 12; ++i) lent.push_back(borrow(*version));
    EXPECT_EQ(cell_.peaks_bytes().size(), 12u);
    lent.clear();
    for (int i = 0; i < 8; ++i) lent.push_back(borrow(*version));
    EXPECT_EQ(cell_.peaks_bytes().size(), 0u);
    lent.push_back(borrow(*version));
    EXPECT_EQ(cell_.peaks_bytes().size(), 1u);
}

TEST_F(Loaded, resized_ones_are_not_lent_again) {
    const auto version = load(adder());
    auto engine = borrow(*version);
    ASSERT_TRUE(engine->resize_input(0, {3}).ok());
    ASSERT_TRUE(engine->prepare().ok());
    write_input<float>(*engine, 0, {1, 2, 3});
    ASSERT_TRUE(engine->invoke().ok());
    EXPECT_EQ(read_output(*engine, 0), (Floats{2, 4, 6}));
    engine.reset();
    engine = borrow(*version);
    EXPECT_EQ(engine->input_info(0).shape, (Shape{2}));
    // Asking for the shape that it has changes nothing.
    const void* const kept = memory_of(*engine);
    ASSERT_TRUE(engine->resize_input(0, {2}).ok());
    engine.reset();
    EXPECT_EQ(memory_of(*borrow(*version)), kept);
}

TEST_F(Loaded, state_does_not_pass_to_the_next_borrower) {
    Net net;
    model::TensorSpec variable{.name = "state", .shape = {2}};
    variable.is_variable = true;
    const int state = net.tensor(variable);
    const int x = net.input({2});
    net.outputs({net.node(kernels::Opcode::add, {x, state}, {2}), state});
    const auto version = load(net.build());
    auto engine = borrow(*version);
    ASSERT_TRUE(engine->invoke().ok());
    *const_cast<std::uint8_t*>(engine->output(1).data()) = 1;  // as a stateful operator would
    const void* const kept = engine->output(1).data();
    engine.reset();
    engine = borrow(*version);
    ASSERT_TRUE(engine->invoke().ok());
    EXPECT_EQ(engine->output(1).data(), kept);
    EXPECT_EQ(read_output(*engine, 1), (Floats{0, 0}));
    *const_cast<std::uint8_t*>(engine->output(1).data()) = 1;
    ASSERT_TRUE(engine->reset_state().ok());
    EXPECT_EQ(read_output(*engine, 1), (Floats{0, 0}));
}

TEST_F(Loaded, a_swap_leaves_what_is_on_loan_running) {
    auto version = load(adder());
    auto engine = borrow(*version);
    version->retire();
    EXPECT_TRUE(version->retired());
    EXPECT_TRUE(engine->stale());
    std::weak_ptr<LoadedVersion> watch = version;
    version.reset();
    write_input<float>(*engine, 0, {1, 2});
    ASSERT_TRUE(engine->invoke().ok());
    EXPECT_EQ(read_output(*engine, 0), (Floats{2, 4}));
    EXPECT_FALSE(watch.expired());
    engine.reset();
    EXPECT_TRUE(watch.expired());
}

TEST_F(Loaded, a_retired_version_keeps_none) {
    const auto version = load(adder());
    const auto one = cell_.peaks_bytes();
    version->retire();
    for (int i = 0; i < 2; ++i) {  // by one who came too late: works, and is stale
        auto engine = borrow(*version);
        EXPECT_TRUE(engine->stale());
        EXPECT_EQ(cell_.peaks_bytes(), one);  // made anew, and never two at once
    }
}

TEST_F(Loaded, what_holds_the_bytes_goes_last) {
    std::vector<std::string> gone;
    auto model = adder();
    const model::Model* const raw = model.get();
    std::shared_ptr<const model::Model> watched(
        raw, [&gone, model](const model::Model*) { gone.push_back("model"); });
    std::shared_ptr<const void> keep(raw, [&gone](const void*) { gone.push_back("bytes"); });
    auto loaded = LoadedVersion::load({"m", 3, ""}, std::move(watched), {}, {}, std::move(keep));
    ASSERT_TRUE(loaded.ok());
    auto version = std::move(*loaded);
    auto engine = borrow(*version);
    borrow(*version);  // one is kept, too
    version.reset();
    EXPECT_TRUE(gone.empty());
    engine.reset();
    EXPECT_EQ(gone, (std::vector<std::string>{"model", "bytes"}));
}

TEST_F(Loaded, memory_is_that_of_all_interpreters_and_the_model) {
    const auto model = adder();
    auto alone = runtime::testing::interpret(model);
    ASSERT_TRUE(alone->prepare().ok());
    const std::uint64_t file = model->bytes().size();
    const std::uint64_t each = alone->memory().arena_bytes + alone->memory().persistent_bytes;
    ASSERT_GT(each, 0u);
    const auto version = load(model);
    EXPECT_EQ(cell_.peaks_bytes(), (std::vector<std::uint64_t>{file + each}));
    auto first = borrow(*version), second = borrow(*version);
    EXPECT_EQ(cell_.peaks_bytes(), (std::vector<std::uint64_t>{file + 2 * each}));

    ASSERT_TRUE(alone->resize_input(0, {1000}).ok());
    ASSERT_TRUE(alone->prepare().ok());
    const std::uint64_t large = alone->memory().arena_bytes + alone->memory().persistent_bytes;
    ASSERT_TRUE(first->resize_input(0, {1000}).ok());
    ASSERT_TRUE(first->invoke().ok());
    EXPECT_EQ(cell_.peaks_bytes(), (std::vector<std::uint64_t>{file + each + large}));
    first.reset();
    first = borrow(*version);
    EXPECT_EQ(cell_.peaks_bytes(), (std::vector<std::uint64_t>{file + 2 * each}));
}

TEST_F(Loaded, successes_are_counted_with_their_latency) {
    int exposures = 0;
    const auto version = load(adder(), [&] { ++exposures; });
    EXPECT_EQ(cell_.loads_ns, (std::vector<std::int64_t>{7'000}));
    const auto engine = borrow(*version), other = borrow(*version);
    EXPECT_EQ(engine->inference_id(), 0u);
    ASSERT_TRUE(engine->invoke().ok());
    const std::uint64_t id = engine->inference_id();
    EXPECT_NE(id, 0u);
    ASSERT_TRUE(other->invoke().ok());
    EXPECT_GT(other->inference_id(), id);
    EXPECT_EQ(engine->inference_id(), id);
    EXPECT_EQ(cell_.outcomes(), "success success ");
    EXPECT_EQ(cell_.latencies_ns(), (std::vector<std::int64_t>{7'000, 7'000}));
    EXPECT_EQ(cell_.first_ns, (std::vector<std::int64_t>{7'000}));
    EXPECT_EQ(exposures, 1);
    EXPECT_EQ(cell_.exposures, 0);  // the callback's to count
}

TEST_F(Loaded, failures_are_neither_first_nor_exposures) {
    Net net;
    const int x = net.input({2});
    net.outputs({net.node(kernels::Opcode::add, {x, net.constant({2}, Floats{1, 1})}, {2})});
    int exposures = 0;
    const auto version = load(net.build(), [&] { ++exposures; });
    auto engine = borrow(*version);
    ASSERT_TRUE(engine->resize_input(0, {3}).ok());
    EXPECT_FALSE(engine->prepare().ok());
    EXPECT_EQ(cell_.outcomes(), "");
    EXPECT_FALSE(engine->invoke().ok());
    EXPECT_EQ(cell_.outcomes(), "failure ");
    EXPECT_NE(engine->inference_id(), 0u);
    EXPECT_TRUE(cell_.first_ns.empty());
    EXPECT_EQ(exposures, 0);
    engine = borrow(*version);
    ASSERT_TRUE(engine->invoke().ok());
    EXPECT_EQ(cell_.outcomes(), "success ");
    EXPECT_EQ(cell_.first_ns.size(), 1u);
    EXPECT_EQ(exposures, 1);
}

TEST_F(Loaded, cancelled_is_no_failure) {
    Net net;
    int x = net.input({1, 256});
    for (unsigned i = 0; i < 40; ++i) x = net.fully_connected(x, 256, 256, i);
    net.outputs({x});
    const auto version = load(net.build());
    const auto engine = borrow(*version);
    std::atomic<bool> ended{false};
    std::thread canceller([&] {
        while (!ended) engine->cancel();
    });
    Status last;
    for (int i = 0; i < 10'000 && last.ok(); ++i) last = engine->invoke();
    ended = true;
    canceller.join();
    ASSERT_EQ(last.error().code, Code::cancelled);
    EXPECT_EQ(cell_.count(Outcome::cancelled), 1);
    EXPECT_EQ(cell_.count(Outcome::failure), 0);
}

TEST_F(Loaded, without_counting) {
    int exposures = 0;
    auto loaded = LoadedVersion::load({"m", 0, ""}, adder(), {},
                                      {nullptr, nullptr, [&] { ++exposures; }}, nullptr);
    ASSERT_TRUE(loaded.ok());
    const auto engine = borrow(**loaded);
    ASSERT_TRUE(engine->invoke().ok());
    ASSERT_TRUE(engine->invoke().ok());
    EXPECT_EQ(exposures, 1);
}

TEST_F(Loaded, the_callback_may_borrow) {
    std::shared_ptr<LoadedVersion> version;
    int invoked = 0;
    version = load(adder(), [&] {
        version->retire();
        invoked += borrow(*version)->invoke().ok();
    });
    ASSERT_TRUE(borrow(*version)->invoke().ok());
    EXPECT_EQ(invoked, 1);
    version.reset();
}

// Threads borrow from whichever version is current while another thread swaps it.
TEST_F(Loaded, borrowing_while_versions_are_swapped) {
    constexpr int threads = 4, per_thread = 2'000;
    std::atomic<int> exposures{0}, versions{1}, wrong{0}, running{threads};
    const auto model = adder();
    const auto make = [&] { return load(model, [&] { ++exposures; }); };
    std::mutex mutex;
    std::shared_ptr<LoadedVersion> current = make();
    const auto worker = [&](int number) {
        const Floats in{static_cast<float>(number), 1}, out{2 * in[0], 2};
        for (int i = 0; i < per_thread; ++i) {
            std::shared_ptr<LoadedVersion> version;
            {
                std::lock_guard lock(mutex);
                version = current;
            }
            const auto engine = borrow(*version);
            version.reset();
            write_input(*engine, 0, in);
            if (!engine->invoke().ok() || read_output(*engine, 0) != out) ++wrong;
        }
        --running;
    };
    std::vector<std::thread> workers;
    for (int i = 0; i < threads; ++i) workers.emplace_back(worker, i);
    while (running > 0) {
        std::shared_ptr<LoadedVersion> next = make();
        ++versions;
        {
            std::lock_guard lock(mutex);
            current.swap(next);
        }
        next->retire();
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    for (std::thread& thread : workers) thread.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(cell_.count(Outcome::success), threads * per_thread);
    EXPECT_LE(exposures, versions);
    EXPECT_GE(exposures, 1);
}

TEST_F(Loaded, a_borrow_costs_next_to_nothing_while_nothing_changes) {
    using Time = std::chrono::steady_clock;
    const auto version = load(adder());
    std::vector<std::int64_t> costs_ns;
    for (int round = 0; round < 101; ++round) {
        const auto start = Time::now();
        for (int i = 0; i < 100; ++i) borrow(*version);
        costs_ns.push_back((Time::now() - start).count() / 100);
    }
    std::nth_element(costs_ns.begin(), costs_ns.begin() + 50, costs_ns.end());
    std::printf("a borrow and its return: %lld ns (median)\n",
                static_cast<long long>(costs_ns[50]));
    EXPECT_LT(costs_ns[50], 20'000);  // 2,000 on an idle machine; sanitizers and loaded ones pass
}

}  // namespace

}  // namespace skiff::device
