// What a misbehaving library does to us: nothing but an error.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <cstring>

#include "cli/isolated/isolated_engine.h"
#include "tests/cli/program.h"

namespace skiff::cli {
namespace {

class Isolated : public testing::Test {
 protected:
    void SetUp() override {
        model_bytes_ = test::doubling_model();
        model_ = model::Model::load_memory(model_bytes_, "model.tflite").value();
        isolation_.program = test::build_folder() + "/skiff";
        isolation_.time_limit = std::chrono::seconds(20);
    }
    void TearDown() override {
        unsetenv("FAKE_TFLITE");
        // No child outlives its engine.
        EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    }

    Result<std::unique_ptr<IsolatedEngine>> start(const char* mode) {
        setenv("FAKE_TFLITE", mode, 1);
        return IsolatedEngine::start("tflite:" + test::build_folder() + "/fake_tflite.so", model_,
                                     {}, isolation_);
    }

    static void fill(runtime::Engine& engine) {
        const float values[] = {1, 2, 3, 4};
        ASSERT_EQ(engine.input(0).size(), sizeof values);
        std::memcpy(engine.input(0).data(), values, sizeof values);
    }

    std::vector<std::uint8_t> model_bytes_;
    std::shared_ptr<const model::Model> model_;
    IsolationOptions isolation_;
};

TEST_F(Isolated, RunsLikeAnyEngine) {
    auto engine = start("").value();
    EXPECT_EQ(engine->name(), "tflite 0.0-fake");
    ASSERT_EQ(engine->input_count(), 1u);
    ASSERT_EQ(engine->output_count(), 1u);
    EXPECT_EQ(engine->input_info(0).name, "x");
    ASSERT_TRUE(engine->prepare().ok());
    fill(*engine);
    for (int run = 0; run < 2; ++run) {  // inputs stay
        ASSERT_TRUE(engine->invoke().ok());
        float values[4];
        ASSERT_EQ(engine->output(0).size(), sizeof values);
        std::memcpy(values, engine->output(0).data(), sizeof values);
        EXPECT_EQ(values[0], 2);
        EXPECT_EQ(values[3], 8);
    }
    EXPECT_EQ(engine->output_info(0).shape, (Shape{4}));
    EXPECT_TRUE(engine->reset_state().ok());
}

TEST_F(Isolated, RunsOurOwnEngineToo) {
    auto engine = IsolatedEngine::start("skiff", model_, {}, isolation_).value();
    ASSERT_TRUE(engine->prepare().ok());
    fill(*engine);
    ASSERT_TRUE(engine->invoke().ok());
    float values[4];
    std::memcpy(values, engine->output(0).data(), sizeof values);
    EXPECT_EQ(values[3], 8);
    const auto use = engine->process_use().value();
    EXPECT_GT(use.load_ns, 0);
    EXPECT_LT(use.peak_bytes, 200u << 20);
}

TEST_F(Isolated, DeathIsAnErrorThatStays) {
    const std::pair<const char*, const char*> deaths[] = {
        {"crash", "tflite 0.0-fake crashed: SIGSEGV on model.tflite"},
        {"abort", "tflite 0.0-fake crashed: SIGABRT on model.tflite"},
        {"exit", "tflite 0.0-fake ended with status 7 on model.tflite"},
    };
    for (const auto& [mode, message] : deaths) {
        auto engine = start(mode).value();
        ASSERT_TRUE(engine->prepare().ok());
        fill(*engine);
        for (int again = 0; again < 2; ++again) {
            const Status invoked = engine->invoke();
            ASSERT_FALSE(invoked.ok());
            EXPECT_EQ(invoked.error().code, Code::internal);
            EXPECT_EQ(invoked.error().message, message);
        }
        EXPECT_EQ(engine->prepare().error().message, message);
    }
}

TEST_F(Isolated, DeathWhileLoading) {
    const auto engine = start("crash-load");
    ASSERT_FALSE(engine.ok());
    EXPECT_EQ(engine.error().message, "tflite crashed: SIGSEGV on model.tflite");
}

TEST_F(Isolated, SilenceIsEnded) {
    isolation_.time_limit = std::chrono::milliseconds(1500);
    auto engine = start("hang").value();
    ASSERT_TRUE(engine->prepare().ok());
    fill(*engine);
    const Status invoked = engine->invoke();
    ASSERT_FALSE(invoked.ok());
    EXPECT_EQ(invoked.error().code, Code::deadline_exceeded);
    EXPECT_EQ(invoked.error().message,
              "tflite 0.0-fake did not answer within 1 s on model.tflite and was stopped");
}

TEST_F(Isolated, MemoryIsLimited) {
#ifdef SKIFF_SANITIZED
    GTEST_SKIP() << "sanitizers map more than any limit";
#endif
    isolation_.memory_limit = std::uint64_t{512} << 20;
    auto engine = start("grow").value();
    ASSERT_TRUE(engine->prepare().ok());
    fill(*engine);
    EXPECT_EQ(engine->invoke().error().message, "tflite 0.0-fake crashed: SIGABRT on model.tflite");
}

TEST_F(Isolated, FailureNamesTheLibrarysFirstLine) {
    auto engine = start("fail").value();
    ASSERT_TRUE(engine->prepare().ok());
    fill(*engine);
    const Status invoked = engine->invoke();
    EXPECT_EQ(invoked.error().message, "tflite 0.0-fake invoke failed: node number 3 failed");
    EXPECT_EQ(engine->invoke().error().message, invoked.error().message) << "still alive";
}

TEST_F(Isolated, RefusedShape) {
    auto engine = start("").value();
    EXPECT_EQ(engine->resize_input(0, {5}).error().message,
              "tflite 0.0-fake refuses the shape [5] for input 0");
    EXPECT_TRUE(engine->resize_input(0, {4}).ok());
}

TEST_F(Isolated, TimesTheCallAlone) {
    auto engine = start("slow").value();  // 20 ms
    ASSERT_TRUE(engine->prepare().ok());
    fill(*engine);
    const auto times = engine->time_invocations(3).value();
    ASSERT_EQ(times.size(), 3u);
    for (const std::int64_t ns : times) EXPECT_GE(ns, 20'000'000);
}

TEST(Messages, BodyReaderStopsAtTheEnd) {
    BodyWriter writer;
    const std::string body = writer.add(std::uint64_t{7}).add("text").take();
    BodyReader reader(body);
    EXPECT_EQ(reader.number(), 7u);
    EXPECT_EQ(reader.bytes(), "text");
    EXPECT_TRUE(reader.ok());
    EXPECT_EQ(reader.number(), 0u);
    EXPECT_FALSE(reader.ok());
    // A length beyond the end gives nothing, and nothing after it either.
    BodyReader truncated(std::string_view(body).substr(0, body.size() - 1));
    EXPECT_EQ(truncated.number(), 7u);
    EXPECT_EQ(truncated.bytes(), "");
    EXPECT_FALSE(truncated.ok());
}

}  // namespace
}  // namespace skiff::cli
