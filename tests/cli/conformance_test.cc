// Corpora made here: a model, its stored outputs, and what becomes of them when either is changed.
#include "cli/corpus/conformance.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "cli/corpus/golden.h"
#include "cli/random_input.h"
#include "tests/cli/program.h"

namespace skiff::cli {
namespace {

std::string raw(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * 4};
}

OrderedJson tensor(const char* name, std::vector<int> shape, const char* file_key,
                   const char* file) {
    std::size_t bytes = 4;
    for (const int dim : shape) bytes *= static_cast<std::size_t>(dim);
    return {{"index", 0},     {"name", name},   {"dtype", "FLOAT32"},
            {"shape", shape}, {"bytes", bytes}, {file_key, file}};
}

class Corpus : public testing::Test {
 protected:
    void SetUp() override {
        static int count = 0;
        folder_ = test::scratch_folder() + "/corpus" + std::to_string(count++);
        make_folders(folder_ + "/models").value();
        make_folders(folder_ + "/golden/double").value();
        write("models/double.tflite", as_text(model_));
        write("golden/double/input_0.bin", raw({1, 2, 3, 4}));
        write("golden/double/output_0.bin", raw({2, 4, 6, 8}));
        io_ = {
            {"seed", 1}, {"int_mod", 8}, {"deterministic", true}, {"steps", OrderedJson::array()}};
        add_step(io_, {4}, "input_0.bin", "output_0.bin");
    }

    static void add_step(OrderedJson& io, std::vector<int> shape, const char* input,
                         const char* output) {
        io["steps"].push_back(
            {{"inputs", OrderedJson::array({tensor("x", shape, "file", input)})},
             {"outputs", OrderedJson::array({tensor("y", shape, "file", output)})}});
    }
    void write(const std::string& name, std::string_view text) {
        write_file(folder_ + "/" + name, as_bytes(text)).value();
    }
    ConformanceRow only_row() {
        write("golden/double/io.json", io_.dump());
        const auto rows =
            run_conformance({.folder = folder_}, [](auto, auto, const auto&) {}).value();
        EXPECT_EQ(rows.size(), 1u);
        return rows[0];
    }

    const std::vector<std::uint8_t> model_ = test::doubling_model();
    std::string folder_;
    OrderedJson io_;
};

TEST_F(Corpus, Pass) {
    const ConformanceRow row = only_row();
    EXPECT_EQ(row.status, Conformity::pass) << row.reason;
    EXPECT_EQ(row.comparison->match, Match::exact);
    EXPECT_EQ(row.comparison->values, 4);
    EXPECT_EQ(row.reason, "");
}

TEST_F(Corpus, AnotherValueDiffers) {
    write("golden/double/output_0.bin", raw({2, 4, 6.1f, 8}));
    const ConformanceRow row = only_row();
    EXPECT_EQ(row.status, Conformity::differs);
    EXPECT_EQ(row.reason,
              "y: 1 of 4 values off by up to 0.1 where the largest is 8 (most at value 2)");
}

TEST_F(Corpus, AnotherShapeDiffers) {
    io_["steps"][0]["outputs"][0]["shape"] = {2, 2};
    const ConformanceRow row = only_row();
    EXPECT_EQ(row.status, Conformity::differs);
    EXPECT_NE(row.reason.find("output 0 is float32 [4], the reference float32 [2,2]"),
              std::string::npos)
        << row.reason;
}

TEST_F(Corpus, AnotherTypeDiffers) {
    io_["steps"][0]["outputs"][0]["dtype"] = "INT32";
    EXPECT_EQ(only_row().status, Conformity::differs);
}

TEST_F(Corpus, EveryStepCounts) {
    write("golden/double/input_0_step1.bin", raw({0, 0, 0, 1}));
    write("golden/double/output_0_step1.bin", raw({0, 0, 0, 3}));
    add_step(io_, {4}, "input_0_step1.bin", "output_0_step1.bin");
    const ConformanceRow row = only_row();
    EXPECT_EQ(row.status, Conformity::differs);
    EXPECT_EQ(row.comparison->values, 8);
    EXPECT_EQ(row.reason.rfind("step 1, y: ", 0), 0u) << row.reason;
}

TEST_F(Corpus, ResizedVariantCounts) {
    make_folders(folder_ + "/golden/double/resize3").value();
    OrderedJson resized = {
        {"seed", 1}, {"int_mod", 8}, {"deterministic", true}, {"steps", OrderedJson::array()}};
    add_step(resized, {3}, "input_0.bin", "output_0.bin");
    write("golden/double/resize3/io.json", resized.dump());
    write("golden/double/resize3/input_0.bin", raw({1, 1, 1}));
    write("golden/double/resize3/output_0.bin", raw({2, 2, 2}));
    ConformanceRow row = only_row();
    EXPECT_EQ(row.status, Conformity::pass) << row.reason;
    EXPECT_EQ(row.comparison->values, 7);
    write("golden/double/resize3/output_0.bin", raw({2, 2, 9}));
    row = only_row();
    EXPECT_EQ(row.status, Conformity::differs);
    EXPECT_EQ(row.reason.rfind("resize3, y: ", 0), 0u) << row.reason;
}

TEST_F(Corpus, RealCasesCount) {
    make_folders(folder_ + "/golden_real/double/photo").value();
    OrderedJson real = {{"seed", 1}, {"int_mod", 8}, {"steps", OrderedJson::array()}};
    add_step(real, {4}, "input_0.bin", "output_0.bin");
    for (auto* key : {"inputs", "outputs"}) real["steps"][0][key][0].erase("index");
    write("golden_real/double/photo/meta.json", real.dump());
    write("golden_real/double/photo/input_0.bin", raw({1, 1, 1, 1}));
    write("golden_real/double/photo/output_0.bin", raw({2, 2, 2, 1}));
    const ConformanceRow row = only_row();
    EXPECT_EQ(row.status, Conformity::differs);
    EXPECT_EQ(row.reason.rfind("photo, y: ", 0), 0u) << row.reason;
}

TEST_F(Corpus, HeadsAreComparedAndInputsMadeAgain) {
    const auto values = random_values(DType::float32, 16, input_seed(1, 0, 0)).value();
    const float* x = reinterpret_cast<const float*>(values.data());
    auto& step = io_["steps"][0];
    step["inputs"][0].erase("file");
    step["inputs"][0]["head_file"] = "input_0_head.bin";
    step["inputs"][0]["sha256"] = sha256_hex(values);
    step["outputs"][0].erase("file");
    step["outputs"][0]["head_file"] = "output_0_head.bin";
    write("golden/double/output_0_head.bin", raw({2 * x[0], 2 * x[1]}));
    ConformanceRow row = only_row();
    EXPECT_EQ(row.status, Conformity::pass) << row.reason;
    EXPECT_EQ(row.comparison->values, 2);
    write("golden/double/output_0_head.bin", raw({2 * x[0], x[1]}));
    EXPECT_EQ(only_row().status, Conformity::differs);
    step["inputs"][0]["sha256"] = std::string(64, '0');
    row = only_row();
    EXPECT_EQ(row.status, Conformity::unsupported);
    EXPECT_NE(row.reason.find("sha256"), std::string::npos);
}

TEST_F(Corpus, NotDeterministicIsOnlyRun) {
    io_["deterministic"] = false;
    write("golden/double/output_0.bin", raw({0, 0, 0, 0}));
    const ConformanceRow row = only_row();
    EXPECT_EQ(row.status, Conformity::ran);
    EXPECT_EQ(row.reason, "the reference is not deterministic");
}

TEST_F(Corpus, BrokenModelIsRejected) {
    write("models/double.tflite", std::string_view(as_text(model_)).substr(0, model_.size() - 60));
    const ConformanceRow row = only_row();
    EXPECT_EQ(row.status, Conformity::rejected) << row.reason;
}

TEST_F(Corpus, BrokenReferenceIsSaid) {
    write("golden/double/io.json", "{");
    const auto rows = run_conformance({.folder = folder_}, [](auto, auto, const auto&) {}).value();
    EXPECT_NE(rows[0].reason.find("io.json"), std::string::npos) << rows[0].reason;
    EXPECT_NE(rows[0].status, Conformity::pass);
}

TEST(ConformanceJson, HasTheAgreedMembers) {
    std::vector<ConformanceRow> rows;
    Comparison close;
    close.match = Match::close;
    close.values = 1000;
    close.differing = 1;
    close.max_abs_diff = 1;
    close.max_quant_steps = 1;
    rows.push_back({"a", Conformity::pass, Comparison{}, ""});
    rows.push_back({"b", Conformity::pass, close, "why"});
    Comparison infinite;
    infinite.match = Match::differs;
    infinite.max_abs_diff = std::numeric_limits<double>::infinity();
    rows.push_back({"c", Conformity::differs, infinite, "NaN"});
    rows.push_back({"d", Conformity::unsupported, {}, "missing"});
    rows.push_back({"e", Conformity::rejected, {}, "bad"});
    rows.push_back({"f", Conformity::ran, {}, "no reference"});
    const OrderedJson json = conformance_json(rows);
    EXPECT_EQ(json["models"], 6);
    const std::pair<const char*, int> counts[] = {
        {"pass", 2}, {"differs", 1}, {"unsupported", 1}, {"rejected", 1}, {"ran", 1}};
    for (const auto& [key, count] : counts) EXPECT_EQ(json[key], count) << key;
    ASSERT_EQ(json["results"].size(), 6u);
    for (const auto& result : json["results"])
        for (const char* key : {"model", "status", "matched", "max_abs_diff", "max_quant_steps",
                                "differing", "reason"})
            EXPECT_TRUE(result.contains(key)) << key << " of " << result["model"];
    EXPECT_EQ(json["results"][0]["matched"], "exact");
    EXPECT_EQ(json["results"][1]["matched"], "close");
    EXPECT_EQ(json["results"][1]["differing"], 0.001);
    EXPECT_EQ(json["results"][1]["max_quant_steps"], 1);
    EXPECT_TRUE(json["results"][2]["max_abs_diff"].is_null());
    EXPECT_TRUE(json["results"][3]["matched"].is_null());
}

}  // namespace
}  // namespace skiff::cli
