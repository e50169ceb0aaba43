// The official libraries behind the engine seam, as scripts/oracle fetched them beside this
// program.
#include <gtest/gtest.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <cstring>

#include "base/files.h"
#include "base/hex.h"
#include "model/builder_ops.h"
#include "runtime/engine.h"

namespace skiff::runtime {
namespace {

std::string build_folder() {
    char path[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    const std::string program(path, static_cast<std::size_t>(length));
    return program.substr(0, program.rfind('/'));
}

std::string corpus_model(const std::string& name) {
    const char* set = std::getenv("SKIFF_CORPUS");
    const std::string path = std::string(set ? set : "../shared/corpus") + "/models/" + name;
    return file_exists(path) ? path : "";
}

struct LoadedModel {
    std::vector<std::uint8_t> bytes;
    std::shared_ptr<const model::Model> model;
};

LoadedModel load(const model::Builder& builder) {
    LoadedModel loaded;
    loaded.bytes = builder.write().value();
    loaded.model = model::Model::load_memory(loaded.bytes, "built.tflite").value();
    return loaded;
}

// difference = a - b, sum = a + b over float32 [n]; as a signature the names are sorted another way
// than in the file.
model::Builder two_by_two(std::int32_t n) {
    model::Builder builder;
    const auto b = builder.add_tensor({.name = "b_tensor", .shape = {n}, .shape_signature = {-1}});
    const auto a = builder.add_tensor({.name = "a_tensor", .shape = {n}, .shape_signature = {-1}});
    const auto sum =
        builder.add_tensor({.name = "sum_tensor", .shape = {n}, .shape_signature = {-1}});
    const auto difference =
        builder.add_tensor({.name = "difference_tensor", .shape = {n}, .shape_signature = {-1}});
    builder.add_operator(model::ops::add(a, b, sum));
    builder.add_operator(model::ops::sub(a, b, difference));
    builder.set_inputs({b, a});
    builder.set_outputs({sum, difference});
    builder.add_signature({.key = "both",
                           .inputs = {{"b", b}, {"a", a}},
                           .outputs = {{"sum", sum}, {"difference", difference}}});
    return builder;
}

void set(Engine& engine, std::size_t i, const std::vector<float>& values) {
    ASSERT_EQ(engine.input(i).size(), values.size() * 4);
    std::memcpy(engine.input(i).data(), values.data(), values.size() * 4);
}

std::vector<float> get(const Engine& engine, std::size_t i) {
    std::vector<float> values(engine.output(i).size() / 4);
    std::memcpy(values.data(), engine.output(i).data(), values.size() * 4);
    return values;
}

class Library : public testing::TestWithParam<const char*> {
 protected:
    void SetUp() override {
        const bool litert = std::string(GetParam()) == "litert";
        path_ = build_folder() + "/oracle/" + (litert ? "libLiteRt.so" : "libtensorflowlite_c.so");
        if (!file_exists(path_)) GTEST_SKIP() << "no oracle at " << path_ << " (scripts/oracle)";
        spec_ = std::string(GetParam()) + ":" + path_;
    }
    std::string path_, spec_;
};

TEST_P(Library, NamesItsVersion) {
    const auto loaded = load(two_by_two(2));
    const auto engine = create_engine(spec_, loaded.model, {}).value();
    EXPECT_EQ(engine->name(),
              GetParam() == std::string("litert") ? "litert 2.3.0" : "tflite 2.9.0");
}

TEST_P(Library, MainSubgraphInTheFilesOrder) {
    const auto loaded = load(two_by_two(3));
    const auto engine = create_engine(spec_, loaded.model, {}).value();
    ASSERT_EQ(engine->input_count(), 2u);
    EXPECT_EQ(engine->input_info(0).name, "b_tensor");
    EXPECT_EQ(engine->output_info(1).name, "difference_tensor");
    ASSERT_TRUE(engine->prepare().ok());
    EXPECT_EQ(engine->input_info(1).shape, (Shape{3}));
    EXPECT_EQ(engine->input_info(1).bytes, 12u);
    set(*engine, 0, {1, 2, 3});
    set(*engine, 1, {10, 20, 30});
    for (int run = 0; run < 2; ++run) {
        ASSERT_TRUE(engine->invoke().ok());
        EXPECT_EQ(get(*engine, 0), (std::vector<float>{11, 22, 33}));
        EXPECT_EQ(get(*engine, 1), (std::vector<float>{9, 18, 27}));
    }
}

TEST_P(Library, SignatureInTheNamesOrder) {
    const auto loaded = load(two_by_two(1));
    EngineOptions options;
    options.signature = "both";
    const auto engine = create_engine(spec_, loaded.model, options).value();
    EXPECT_EQ(engine->input_info(0).name, "a");
    EXPECT_EQ(engine->output_info(0).name, "difference");
    ASSERT_TRUE(engine->prepare().ok());
    set(*engine, 0, {10});
    set(*engine, 1, {1});
    ASSERT_TRUE(engine->invoke().ok());
    EXPECT_EQ(get(*engine, 0), (std::vector<float>{9}));
    EXPECT_EQ(get(*engine, 1), (std::vector<float>{11}));
}

TEST_P(Library, UnknownSignature) {
    const auto loaded = load(two_by_two(1));
    EngineOptions options;
    options.signature = "neither";
    const auto engine = create_engine(spec_, loaded.model, options);
    ASSERT_FALSE(engine.ok());
    EXPECT_EQ(engine.error().code, Code::not_found);
    EXPECT_NE(engine.error().message.find("both"), std::string::npos) << engine.error().message;
}

TEST_P(Library, Resizes) {
    const auto loaded = load(two_by_two(1));
    const auto engine = create_engine(spec_, loaded.model, {}).value();
    for (const std::int32_t n : {4, 2}) {
        for (std::size_t i = 0; i < 2; ++i) ASSERT_TRUE(engine->resize_input(i, {n}).ok());
        const Status prepared = engine->prepare();
        ASSERT_TRUE(prepared.ok()) << prepared.error().message;
        EXPECT_EQ(engine->output_info(0).shape, (Shape{n}));
        set(*engine, 0, std::vector<float>(static_cast<std::size_t>(n), 1));
        set(*engine, 1, std::vector<float>(static_cast<std::size_t>(n), 5));
        ASSERT_TRUE(engine->invoke().ok());
        EXPECT_EQ(get(*engine, 0), std::vector<float>(static_cast<std::size_t>(n), 6));
        EXPECT_EQ(get(*engine, 1), std::vector<float>(static_cast<std::size_t>(n), 4));
    }
}

TEST_P(Library, QuantizedTensorsKeepTheirScale) {
    model::Builder builder;
    const auto x = builder.add_tensor(
        {.name = "x", .dtype = DType::int8, .shape = {4}, .scales = {0.5f}, .zero_points = {3}});
    const auto y = builder.add_tensor(
        {.name = "y", .dtype = DType::int8, .shape = {4}, .scales = {1.0f}, .zero_points = {-1}});
    builder.add_operator(model::ops::add(x, x, y));
    builder.set_inputs({x});
    builder.set_outputs({y});
    const auto loaded = load(builder);
    const auto engine = create_engine(spec_, loaded.model, {}).value();
    ASSERT_TRUE(engine->prepare().ok());
    EXPECT_EQ(engine->input_info(0).dtype, DType::int8);
    EXPECT_EQ(engine->input_info(0).quantization.scale, 0.5f);
    EXPECT_EQ(engine->output_info(0).quantization.zero_point, -1);
    const std::int8_t values[] = {3, 4, 13, -7};  // 0, 0.5, 5, -5
    std::memcpy(engine->input(0).data(), values, 4);
    ASSERT_TRUE(engine->invoke().ok());
    EXPECT_EQ(to_hex(engine->output(0)), "ff0009f5");  // 0, 1, 10, -10
}

TEST_P(Library, StateStaysAndIsReset) {
    const std::string path = corpus_model("tfm_dtln_noise_suppression.tflite");
    if (path.empty()) GTEST_SKIP() << "no corpus";
    const auto model = model::Model::load_file(path).value();
    auto opened = create_engine(spec_, model, {});
    if (GetParam() == std::string("litert")) {
        // Its interface has no variable tensors at all; that is said, not tried.
        ASSERT_FALSE(opened.ok());
        EXPECT_EQ(opened.error().code, Code::unimplemented);
        EXPECT_NE(opened.error().message.find("variable tensors"), std::string::npos);
        return;
    }
    const auto engine = std::move(opened).value();
    ASSERT_TRUE(engine->prepare().ok());
    const auto invoke = [&] {
        for (std::size_t i = 0; i < engine->input_count(); ++i)
            std::memset(engine->input(i).data(), 64, engine->input(i).size());
        EXPECT_TRUE(engine->invoke().ok());
        return to_hex(engine->output(0));
    };
    const auto first = invoke(), second = invoke();
    ASSERT_TRUE(engine->reset_state().ok());
    EXPECT_NE(first, second);
    EXPECT_EQ(first, invoke());
}

TEST_P(Library, VariableFlagOnAnInputSaysNothing) {
    model::Builder builder;
    const auto x = builder.add_tensor({.name = "x", .shape = {2}, .is_variable = true});
    const auto y = builder.add_tensor({.name = "y", .shape = {2}});
    builder.add_operator(model::ops::add(x, x, y));
    builder.set_inputs({x});
    builder.set_outputs({y});
    const auto loaded = load(builder);
    auto engine = create_engine(spec_, loaded.model, {});
    ASSERT_TRUE(engine.ok()) << engine.error().message;
    ASSERT_TRUE((*engine)->prepare().ok());
    set(**engine, 0, {1, 2});
    ASSERT_TRUE((*engine)->invoke().ok());
    EXPECT_EQ(get(**engine, 0), (std::vector<float>{2, 4}));
}

TEST_P(Library, RefusesWithItsOwnReason) {
    model::Builder builder;
    const auto x = builder.add_tensor({.name = "x", .shape = {4}});
    const auto y = builder.add_tensor({.name = "y", .shape = {4}});
    builder.add_operator(
        {.builtin_code = 32, .inputs = {x}, .outputs = {y}, .custom_code = "Frobnicate"});
    builder.set_inputs({x});
    builder.set_outputs({y});
    const auto loaded = load(builder);
    auto engine = create_engine(spec_, loaded.model, {});
    const Error e = engine.ok() ? (*engine)->prepare().error() : engine.error();
    EXPECT_EQ(e.code, Code::unimplemented);
    EXPECT_NE(e.message.find("Frobnicate"), std::string::npos) << e.message;
    EXPECT_EQ(e.message.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Official, Library, testing::Values("litert", "tflite"),
                         [](const auto& info) { return std::string(info.param); });

TEST(CreateEngine, RefusesWhatIsNone) {
    const auto loaded = load(two_by_two(1));
    const auto refuse = [&](const std::string& spec, Code code, const std::string& part) {
        const auto engine = create_engine(spec, loaded.model, {});
        ASSERT_FALSE(engine.ok()) << spec;
        EXPECT_EQ(engine.error().code, code) << spec;
        EXPECT_NE(engine.error().message.find(part), std::string::npos) << engine.error().message;
    };
    refuse("onnx", Code::invalid_argument, "skiff, litert:PATH");
    refuse("litert", Code::invalid_argument, "litert:PATH");
    refuse("tflite:", Code::invalid_argument, "tflite:PATH");
    refuse("tflite:/nowhere.so", Code::not_found, "/nowhere.so");
    refuse("litert:/etc/passwd", Code::invalid_argument, "/etc/passwd is not a library");
    const std::string zlib = "/usr/lib/x86_64-linux-gnu/libz.so.1";
    if (!file_exists(zlib)) return;
    refuse("tflite:" + zlib, Code::invalid_argument, "has no function TfLiteModelCreate");
    refuse("litert:" + zlib, Code::invalid_argument, "has no function LiteRtCreateCompiledModel");
}

TEST(CreateEngine, Skiff) {
    const auto loaded = load(two_by_two(2));
    const auto engine = create_engine("skiff", loaded.model, {}).value();
    ASSERT_TRUE(engine->prepare().ok());
    set(*engine, 0, {1, 2});
    set(*engine, 1, {3, 4});
    ASSERT_TRUE(engine->invoke().ok());
    EXPECT_EQ(get(*engine, 1), (std::vector<float>{2, 2}));
}

}  // namespace
}  // namespace skiff::runtime
