// Real models against the official library's results: corpus/README.md. Skipped where the corpus is
// absent.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/files.h"
#include "base/json.h"
#include "tests/runtime/test_models.h"

namespace skiff::runtime {
namespace {

std::string corpus() {
    const char* given = std::getenv("SKIFF_CORPUS");
    return given ? given : "../shared/corpus";
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
    return parts;
}

struct Entry {
    std::string name;
    bool dynamic_range_net;  // two or more operators with float inputs and int8 weights
};

// Models of these operators and element types with reference results: 106.
std::vector<Entry> runnable_models() {
    const std::vector<std::string> operators = {"ADD",
                                                "AVERAGE_POOL_2D",
                                                "CONCATENATION",
                                                "CONV_2D",
                                                "DEPTHWISE_CONV_2D",
                                                "DEQUANTIZE",
                                                "FULLY_CONNECTED",
                                                "HARD_SWISH",
                                                "LOGISTIC",
                                                "MAX_POOL_2D",
                                                "MEAN",
                                                "MUL",
                                                "PAD",
                                                "QUANTIZE",
                                                "RELU",
                                                "RELU6",
                                                "RESHAPE",
                                                "SOFTMAX",
                                                "SQUEEZE",
                                                "SUB"};
    const std::vector<std::string> dtypes = {"FLOAT32", "INT8", "UINT8", "INT32"};
    auto known = [](const std::vector<std::string>& list, const std::string& text) {
        return std::find(list.begin(), list.end(), text) != list.end();
    };
    std::vector<Entry> result;
    std::ifstream table(corpus() + "/models.tsv");
    std::string line;
    std::getline(table, line);
    const std::vector<std::string> header = split(line, '\t');
    while (std::getline(table, line)) {
        const std::vector<std::string> values = split(line, '\t');
        auto column = [&](const char* name) {
            const auto at = std::find(header.begin(), header.end(), name) - header.begin();
            return values[static_cast<std::size_t>(at)];
        };
        bool runnable = column("golden") == "ok";
        for (const std::string& op : split(column("ops"), ','))
            runnable &= known(operators, op.substr(0, op.find(':')));
        for (const std::string& dtype : split(column("dtypes"), ','))
            runnable &= known(dtypes, dtype);
        if (runnable)
            result.push_back(
                {column("model"), column("quant").find("dynrange") != std::string::npos});
    }
    return result;
}

std::string read(const std::string& path) {
    auto text = read_file(path);
    if (!text.ok()) ADD_FAILURE() << text.error().message;
    return text.ok() ? *text : std::string();
}

// How many of the stored values differ, and the largest difference in words.
std::string compare(const std::string& expected, Bytes actual, DType dtype, double relative) {
    if (actual.size() < expected.size()) return "fewer bytes than the reference";
    if (dtype != DType::float32)
        return std::memcmp(actual.data(), expected.data(), expected.size()) == 0
                   ? ""
                   : "integers differ";
    double largest = 0, difference = 0;
    std::size_t where = 0;
    for (std::size_t i = 0; i + 4 <= expected.size(); i += 4) {
        float want, got;
        std::memcpy(&want, expected.data() + i, 4);
        std::memcpy(&got, actual.data() + i, 4);
        if (std::isnan(want) && std::isnan(got)) continue;
        if (std::isfinite(want)) largest = std::max(largest, std::fabs(double{want}));
        if (want == got) continue;
        const double d = std::fabs(double{want} - double{got});
        if (!(d <= difference)) difference = d, where = i / 4;
    }
    if (difference <= relative * largest) return "";
    return "value " + std::to_string(where) + " is off by " + std::to_string(difference) + " of " +
           std::to_string(largest);
}

void expect_golden(const std::string& folder, Interpreter& interpreter, double relative) {
    auto parsed = parse_json(read(folder + "/io.json"), "io.json");
    ASSERT_TRUE(parsed.ok());
    if (!parsed->at("deterministic").get<bool>()) return;
    for (const Json& step : parsed->at("steps")) {
        for (std::size_t i = 0; i < step.at("inputs").size(); ++i) {
            const Status status = interpreter.resize_input(i, [&] {
                const auto dims = step["inputs"][i]["shape"].get<std::vector<std::int32_t>>();
                return Shape(std::span<const std::int32_t>(dims));
            }());
            ASSERT_TRUE(status.ok()) << status.error().message;
        }
        if (interpreter.input_count() > 0 && interpreter.input(0).empty()) {
            const Status status = interpreter.prepare();
            ASSERT_TRUE(status.ok()) << status.error().message;
        }
        for (std::size_t i = 0; i < step.at("inputs").size(); ++i) {
            const std::string bytes =
                read(folder + "/" + step["inputs"][i]["file"].get<std::string>());
            ASSERT_EQ(bytes.size(), interpreter.input(i).size());
            std::memcpy(interpreter.input(i).data(), bytes.data(), bytes.size());
        }
        const Status status = interpreter.invoke();
        ASSERT_TRUE(status.ok()) << status.error().message;
        for (std::size_t i = 0; i < step.at("outputs").size(); ++i) {
            const Json& output = step["outputs"][i];
            const char* file = output.contains("file") ? "file" : "head_file";
            const TensorInfo info = interpreter.output_info(i);
            EXPECT_EQ(info.bytes, output.at("bytes").get<std::size_t>());
            EXPECT_EQ(info.shape.to_string(), [&] {
                const auto dims = output.at("shape").get<std::vector<std::int32_t>>();
                return Shape(std::span<const std::int32_t>(dims)).to_string();
            }());
            EXPECT_EQ(compare(read(folder + "/" + output.at(file).get<std::string>()),
                              interpreter.output(i), info.dtype, relative),
                      "")
                << "output " << i << " " << info.name;
        }
    }
}

class Corpus : public ::testing::Test {
 protected:
    void SetUp() override {
        if (!file_exists(corpus() + "/models.tsv"))
            GTEST_SKIP() << "no corpus at " << corpus() << " (SKIFF_CORPUS)";
    }
};

TEST_F(Corpus, RunnableModelsGiveTheReferenceResults) {
    const std::vector<Entry> entries = runnable_models();
    EXPECT_EQ(entries.size(), 106u);
    for (const Entry& entry : entries) {
        SCOPED_TRACE(entry.name);
        auto model = model::Model::load_file(corpus() + "/models/" + entry.name + ".tflite");
        ASSERT_TRUE(model.ok()) << model.error().message;
        auto interpreter = Interpreter::create(*model);
        EXPECT_TRUE(interpreter.ok()) << interpreter.error().message;
        if (!interpreter.ok()) continue;
        const double relative = entry.dynamic_range_net ? 5e-3 : 1e-5;
        const std::string folder = corpus() + "/golden/" + entry.name;
        expect_golden(folder, **interpreter, relative);
        const MemoryUse memory = (*interpreter)->memory();
        EXPECT_LE(static_cast<double>(memory.arena_bytes),
                  1.1 * static_cast<double>(memory.largest_live_bytes));
        if (file_exists(folder + "/resize3/io.json"))
            expect_golden(folder + "/resize3", **interpreter, relative);
    }
}

}  // namespace
}  // namespace skiff::runtime
