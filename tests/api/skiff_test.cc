#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <iterator>
#include <thread>

#include <skiff/skiff.h>

namespace skiff {

namespace {

const std::string folder = "examples/digits/";

Interpreter interpreter_of(const std::string& name, const InterpreterOptions& options = {}) {
    auto made = Interpreter::create(LocalModel::file(folder + name), options);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(made).value();
}

std::vector<std::uint8_t> bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST(Api, typed_views) {
    Interpreter interpreter = interpreter_of("digits_v2_float.tflite");
    const auto input = interpreter.input(0);
    ASSERT_TRUE(input.ok());
    EXPECT_EQ(input->dtype, DType::float32);
    EXPECT_EQ(input->shape, (Shape{1, 28, 28, 3}));
    EXPECT_EQ(input->as<float>().size(), 28u * 28 * 3);
    EXPECT_TRUE(input->as<std::int8_t>().empty());
    EXPECT_EQ(input->quantization.scale, 0);
    for (float& x : input->as<float>()) x = 0.5f;
    ASSERT_TRUE(interpreter.invoke().ok());
    const auto output = interpreter.output(0);
    ASSERT_TRUE(output.ok());
    float sum = 0;
    for (const float p : output->as<float>()) sum += p;
    EXPECT_NEAR(sum, 1, 1e-5);  // a softmax
    EXPECT_TRUE(interpreter.output(std::string(output->name)).ok());
}

TEST(Api, quantization_is_told) {
    Interpreter interpreter = interpreter_of("digits_v1_int8.tflite");
    EXPECT_GT(interpreter.input(0)->quantization.scale, 0);
    EXPECT_EQ(interpreter.output(0)->quantization.zero_point, -128);
    EXPECT_FLOAT_EQ(interpreter.output(0)->quantization.scale, 1.f / 256);
}

TEST(Api, errors_are_values) {
    EXPECT_EQ(LoadedModel::load(LocalModel::file("none")).error().code, Code::not_found);
    EXPECT_EQ(LoadedModel::load(LocalModel::memory({})).error().code, Code::invalid_argument);
    Interpreter interpreter = interpreter_of("digits_v1_float.tflite");
    EXPECT_EQ(interpreter.input(7).error().message, "input 7 does not exist: the model has 1");
    EXPECT_EQ(interpreter.input("x").error().message, "the model has no input of that name");
    EXPECT_EQ(interpreter.output(-1).error().code, Code::invalid_argument);
    InterpreterOptions options;
    options.threads = -3;
    EXPECT_FALSE(
        Interpreter::create(LocalModel::file(folder + "digits_v1_float.tflite"), options).ok());
    options.threads = 1;
    options.signature = "no_such";
    EXPECT_FALSE(
        Interpreter::create(LocalModel::file(folder + "digits_v1_float.tflite"), options).ok());
}

TEST(Api, a_shape_the_model_cannot_take_is_told_and_going_back_helps) {
    Interpreter interpreter = interpreter_of("digits_v2_float.tflite");
    const bool taken =
        interpreter.resize_input(0, {1, 28, 28, 4}).ok() && interpreter.invoke().ok();
    EXPECT_FALSE(taken);
    ASSERT_TRUE(interpreter.resize_input(0, {1, 28, 28, 3}).ok());
    EXPECT_TRUE(interpreter.invoke().ok());
}

TEST(Api, one_model_many_interpreters_and_threads) {
    const std::vector<std::uint8_t> file = bytes_of(folder + "digits_v2_int8.tflite");
    const auto model = LoadedModel::load(LocalModel::memory(file));
    ASSERT_TRUE(model.ok());
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            auto mine = Interpreter::create(*model);
            for (int i = 0; mine.ok() && i < 20; ++i)
                if (mine->invoke().ok()) ++right;
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(right, 80);
}

TEST(Api, cancel_from_another_thread_ends_an_invocation) {
    Interpreter interpreter = interpreter_of("digits_v2_float.tflite");
    ASSERT_TRUE(interpreter.resize_input(0, {512, 28, 28, 3}).ok());
    ASSERT_TRUE(interpreter.input(0).ok());
    std::atomic<bool> done{false};
    std::thread canceller([&] {
        while (!done) {
            interpreter.cancel();
            std::this_thread::yield();
        }
    });
    Code code = Code::ok;
    for (int i = 0; i < 50 && code == Code::ok; ++i)
        if (const Status status = interpreter.invoke(); !status.ok()) code = status.error().code;
    done = true;
    canceller.join();
    EXPECT_EQ(code, Code::cancelled);
}

TEST(Api, labels_an_image) {
    auto labeler = ImageLabeler::create(LocalModel::file(folder + "digits_v2_int8.tflite"));
    ASSERT_TRUE(labeler.ok()) << labeler.error().message;
    std::vector<std::uint8_t> pixels(28 * 28 * 4, 0);
    Image image;
    image.bytes = pixels;
    image.format = Image::rgba;
    image.width = image.height = 28;
    const auto labels = labeler->process(image);
    ASSERT_TRUE(labels.ok()) << labels.error().message;
    EXPECT_EQ(labels->size(), 10u);
    EXPECT_FALSE((*labels)[0].text.empty());
    LabelerOptions two;
    two.max_result_count = 2;
    two.labels = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
    auto named = ImageLabeler::create(LocalModel::file(folder + "digits_v2_int8.tflite"), two);
    ASSERT_TRUE(named.ok());
    const auto best = named->process(image);
    ASSERT_TRUE(best.ok());
    ASSERT_EQ(best->size(), 2u);
    EXPECT_EQ((*best)[0].text, std::string(1, static_cast<char>('a' + (*best)[0].index)));
    two.labels = "a\nb\n";
    EXPECT_FALSE(
        ImageLabeler::create(LocalModel::file(folder + "digits_v2_int8.tflite"), two).ok());
}

}  // namespace skiff
