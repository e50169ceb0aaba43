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

// Empty where the stored values (whole tensors, or their first 4096) equal the actual ones; else
// the largest difference.
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

// The corpus' generator (gen_input.py): inputs too large to be stored whole.
std::string generate(std::uint64_t state, DType dtype, std::size_t bytes, std::uint64_t modulus) {
    std::string out;
    while (out.size() < bytes) {
        std::uint64_t u = state += 0x9E3779B97F4A7C15u;
        u = (u ^ (u >> 30)) * 0xBF58476D1CE4E5B9u;
        u = (u ^ (u >> 27)) * 0x94D049BB133111EBu;
        u ^= u >> 31;
        const auto real = static_cast<float>(static_cast<double>(u >> 11) * 0x1p-53 * 2 - 1);
        const auto integer = static_cast<std::int32_t>((u >> 33) % modulus);
        const auto byte = static_cast<char>(u >> 56);
        if (dtype == DType::float32)
            out.append(reinterpret_cast<const char*>(&real), 4);
        else if (dtype == DType::int32)
            out.append(reinterpret_cast<const char*>(&integer), 4);
        else
            out.push_back(byte);
    }
    return out;
}

std::string input_bytes(const std::string& folder, const Json& golden, std::size_t step,
                        std::size_t i, const TensorInfo& info) {
    const Json& input = golden.at("steps").at(step).at("inputs").at(i);
    if (input.contains("file")) return read(folder + "/" + input["file"].get<std::string>());
    const std::uint64_t seed = golden.at("seed").get<std::uint64_t>() +
                               (std::uint64_t{step} << 32) +
                               (input.at("index").get<std::uint64_t>() << 16);
    return generate(seed, info.dtype, info.bytes, golden.at("int_mod").get<std::uint64_t>());
}

Shape shape_of(const Json& tensor) {
    const auto dims = tensor.at("shape").get<std::vector<std::int32_t>>();
    return Shape(std::span<const std::int32_t>(dims));
}

void expect_step(const std::string& folder, const Json& golden, std::size_t step,
                 Interpreter& interpreter, double relative) {
    const Json& inputs = golden["steps"][step].at("inputs");
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const std::string bytes = input_bytes(folder, golden, step, i, interpreter.input_info(i));
        ASSERT_EQ(bytes.size(), interpreter.input(i).size());
        std::memcpy(interpreter.input(i).data(), bytes.data(), bytes.size());
    }
    const Status status = interpreter.invoke();
    ASSERT_TRUE(status.ok()) << status.error().message;
    const Json& outputs = golden["steps"][step].at("outputs");
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const TensorInfo info = interpreter.output_info(i);
        EXPECT_EQ(info.bytes, outputs[i].at("bytes").get<std::size_t>());
        // The corpus writes [1] for a scalar made by a delegate; the live library says [].
        if (info.shape.rank() > 0) {
            EXPECT_EQ(info.shape.to_string(), shape_of(outputs[i]).to_string());
        }
        const char* file = outputs[i].contains("file") ? "file" : "head_file";
        EXPECT_EQ(compare(read(folder + "/" + outputs[i].at(file).get<std::string>()),
                          interpreter.output(i), info.dtype, relative),
                  "")
            << "output " << i << " " << info.name;
    }
}

void expect_golden(const std::string& folder, Interpreter& interpreter, double relative) {
    const auto parsed = parse_json(read(folder + "/io.json"), "io.json");
    ASSERT_TRUE(parsed.ok());
    if (!parsed->at("deterministic").get<bool>()) return;
    const Json& inputs = parsed->at("steps").at(0).at("inputs");
    for (std::size_t i = 0; i < inputs.size(); ++i)
        ASSERT_TRUE(interpreter.resize_input(i, shape_of(inputs[i])).ok());
    const Status status = interpreter.prepare();
    ASSERT_TRUE(status.ok()) << status.error().message;
    for (std::size_t step = 0; step < parsed->at("steps").size(); ++step)
        expect_step(folder, *parsed, step, interpreter, relative);
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
