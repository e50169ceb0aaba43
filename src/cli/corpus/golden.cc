#include "cli/corpus/golden.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/sha256.h"
#include "cli/random_input.h"
#include "cli/run_inputs.h"

namespace skiff::cli {
namespace {

Result<DType> dtype_from(std::string name, std::string_view where) {
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    for (int i = 0; i <= static_cast<int>(DType::float8_e5m2); ++i)
        if (dtype_name(static_cast<DType>(i)) == name) return static_cast<DType>(i);
    return error(Code::invalid_argument, std::string(where) + ": unknown type " + name);
}

std::string path_or_empty(const Json& tensor, const char* key, const std::string& folder) {
    const auto found = tensor.find(key);
    return found != tensor.end() && found->is_string()
               ? folder + "/" + found->get_ref<const std::string&>()
               : std::string();
}

Result<GoldenTensor> read_tensor(const Json& json, std::size_t position, const std::string& folder,
                                 const std::string& where) {
    GoldenTensor tensor;
    tensor.index = position;
    if (json.contains("index"))
        tensor.index = static_cast<std::size_t>(TRY(json_int(json, "index", where)));
    tensor.name = TRY(json_string(json, "name", where));
    tensor.dtype = TRY(dtype_from(TRY(json_string(json, "dtype", where)), where));
    tensor.stored_as = tensor.dtype;
    if (json.contains("stored_as"))
        tensor.stored_as = TRY(dtype_from(TRY(json_string(json, "stored_as", where)), where));
    for (const Json& dim : *TRY(json_array(json, "shape", where))) {
        if (!dim.is_number_integer() || tensor.shape.rank() == Shape::max_rank)
            return error(Code::invalid_argument, where + ": a shape that is none");
        tensor.shape.push_back(dim.get<std::int32_t>());
    }
    tensor.bytes = static_cast<std::size_t>(TRY(json_int(json, "bytes", where)));
    tensor.file = path_or_empty(json, "file", folder);
    tensor.head_file = path_or_empty(json, "head_file", folder);
    if (json.contains("sha256")) tensor.sha256 = TRY(json_string(json, "sha256", where));
    const auto stats = json.find("stats");
    if (stats != json.end() && stats->is_object() && stats->contains("min") &&
        stats->contains("max") && (*stats)["min"].is_number() && (*stats)["max"].is_number())
        tensor.max_abs = std::max(std::fabs((*stats)["min"].get<double>()),
                                  std::fabs((*stats)["max"].get<double>()));
    return tensor;
}

// Stored bytes as the tensor's own type: only whole numbers are ever stored narrower.
Result<std::string> read_values(const GoldenTensor& tensor, const std::string& path) {
    std::string data = TRY(read_file(path));
    if (tensor.stored_as == tensor.dtype) return data;
    if (tensor.stored_as != DType::uint8)
        return error(Code::unimplemented,
                     path + ": stored as " + std::string(dtype_name(tensor.stored_as)));
    const auto width = static_cast<std::size_t>(dtype_bits(tensor.dtype) / 8);
    std::string wide(data.size() * width, '\0');
    for (std::size_t i = 0; i < data.size(); ++i) wide[i * width] = data[i];
    return wide;
}

Status prepare_for(runtime::Engine& engine, const GoldenStep& step) {
    if (engine.input_count() != step.inputs.size() || engine.output_count() != step.outputs.size())
        return error(Code::internal, "the reference has " + std::to_string(step.inputs.size()) +
                                         " inputs and " + std::to_string(step.outputs.size()) +
                                         " outputs, the model " +
                                         std::to_string(engine.input_count()) + " and " +
                                         std::to_string(engine.output_count()));
    for (const GoldenTensor& input : step.inputs)
        if (input.index < engine.input_count() &&
            !(engine.input_info(input.index).shape == input.shape))
            TRY(engine.resize_input(input.index, input.shape));
    return engine.prepare();
}

// The recorder of the references wrote the shape of a scalar output as [1].
bool same_shape(const Shape& actual, const Shape& reference) {
    return actual == reference || (actual.rank() == 0 && reference == Shape{1});
}

Result<Comparison> compare_output(const runtime::Engine& engine, const GoldenTensor& expected,
                                  double loose_float_bound) {
    const runtime::TensorInfo info = engine.output_info(expected.index);
    const Bytes actual = engine.output(expected.index);
    Comparison wrong;
    wrong.match = Match::differs;
    wrong.max_abs_diff = std::numeric_limits<double>::infinity();
    if (info.dtype != expected.dtype || !same_shape(info.shape, expected.shape)) {
        wrong.reason = "output " + std::to_string(expected.index) + " is " +
                       std::string(dtype_name(info.dtype)) + " " + info.shape.to_string() +
                       ", the reference " + std::string(dtype_name(expected.dtype)) + " " +
                       expected.shape.to_string();
        return wrong;
    }
    const std::string& path = expected.file.empty() ? expected.head_file : expected.file;
    const std::string reference = TRY(read_values(expected, path));
    if (actual.size() != expected.bytes || reference.size() > actual.size()) {
        wrong.reason = "output " + std::to_string(expected.index) + " has " +
                       std::to_string(actual.size()) + " bytes, the reference " +
                       std::to_string(expected.bytes);
        return wrong;
    }
    CompareOptions options;
    options.loose_float_bound = loose_float_bound;
    options.max_abs_reference = expected.max_abs;
    return compare_values(expected.dtype, as_bytes(reference), actual, options);
}

}  // namespace

bool GoldenCase::has_inputs() const {
    return std::ranges::all_of(steps, [](const GoldenStep& step) {
        return std::ranges::none_of(step.inputs, [](const GoldenTensor& input) {
            return input.file.empty() && input.head_file.empty();
        });
    });
}

Result<GoldenCase> read_golden(const std::string& folder, const std::string& file,
                               std::string name) {
    const std::string path = folder + "/" + file;
    const Json json = TRY(parse_json(TRY(read_file(path)), path));
    GoldenCase golden;
    golden.name = std::move(name);
    golden.seed = static_cast<std::uint64_t>(TRY(json_int(json, "seed", path)));
    golden.int_mod = static_cast<std::uint64_t>(TRY(json_int(json, "int_mod", path)));
    if (golden.int_mod == 0) return error(Code::invalid_argument, path + ": int_mod is 0");
    if (json.contains("deterministic"))
        golden.deterministic = TRY(json_bool(json, "deterministic", path));
    for (const Json& step : *TRY(json_array(json, "steps", path))) {
        GoldenStep& out = golden.steps.emplace_back();
        for (const bool outputs : {false, true}) {
            auto& list = outputs ? out.outputs : out.inputs;
            for (const Json& tensor : *TRY(json_array(step, outputs ? "outputs" : "inputs", path)))
                list.push_back(TRY(read_tensor(tensor, list.size(), folder, path)));
        }
    }
    if (golden.steps.empty()) return error(Code::invalid_argument, path + ": no steps");
    return golden;
}

Result<std::vector<std::uint8_t>> golden_input(const GoldenCase& golden, std::size_t step,
                                               const GoldenTensor& input) {
    std::vector<std::uint8_t> values;
    if (!input.file.empty()) {
        const std::string data = TRY(read_values(input, input.file));
        values.assign(data.begin(), data.end());
    } else {
        values = TRY(random_values(input.dtype, input.bytes,
                                   input_seed(golden.seed, step, input.index), golden.int_mod));
    }
    if (!input.sha256.empty() && sha256_hex(values) != input.sha256)
        return error(Code::data_loss,
                     "input " + input.name + " of the reference has another sha256 than it says");
    return values;
}

Result<Comparison> run_golden(runtime::Engine& engine, const GoldenCase& golden,
                              double loose_float_bound) {
    TRY(prepare_for(engine, golden.steps[0]));
    Comparison total;
    for (std::size_t k = 0; k < golden.steps.size(); ++k) {
        const GoldenStep& step = golden.steps[k];
        for (const GoldenTensor& input : step.inputs) {
            if (input.index >= engine.input_count())
                return error(Code::out_of_range,
                             "the reference names input " + std::to_string(input.index));
            const auto values = TRY(golden_input(golden, k, input));
            TRY(set_input(engine, input.index, values, "the reference's input " + input.name));
        }
        TRY(engine.invoke());
        for (const GoldenTensor& output : step.outputs) {
            if (output.index >= engine.output_count())
                return error(Code::out_of_range,
                             "the reference names output " + std::to_string(output.index));
            Comparison one = TRY(compare_output(engine, output, loose_float_bound));
            if (!one.reason.empty()) {
                std::string where = golden.name.empty() ? "" : golden.name + ", ";
                if (golden.steps.size() > 1) where += "step " + std::to_string(k) + ", ";
                one.reason = where + output.name + ": " + one.reason;
            }
            total.merge(one);
        }
    }
    return total;
}

}  // namespace skiff::cli
