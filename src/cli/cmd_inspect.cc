#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/model_argument.h"
#include "cli/model_facts.h"
#include "cli/table.h"
#include "model/metadata.h"
#include "runtime/interpreter.h"

namespace skiff::cli {
namespace {

struct Options {
    std::string model;
    bool tensors = false;
};

std::string known_shape(const model::Tensor& tensor) {
    if (!tensor.has_rank) return "unknown";
    return tensor.shape_signature.to_string();
}

OrderedJson dims_json(const Shape& shape) {
    return std::vector<int>(shape.begin(), shape.end());
}

OrderedJson tensor_json(const model::Subgraph& subgraph, std::int32_t index) {
    const model::Tensor& tensor = subgraph.tensors[static_cast<std::size_t>(index)];
    OrderedJson out = {{"tensor", index},
                       {"name", tensor.name},
                       {"dtype", dtype_name(tensor.dtype)},
                       {"shape", dims_json(tensor.shape)},
                       {"shape_signature", dims_json(tensor.shape_signature)}};
    if (tensor.is_constant) out["constant_bytes"] = tensor.data.size();
    if (tensor.is_variable) out["variable"] = true;
    const auto& quantization = tensor.quantization;
    if (quantization.scales.size() == 1) {
        out["scale"] = quantization.scales[0];
        out["zero_point"] = quantization.zero_points.empty() ? 0 : quantization.zero_points[0];
    } else if (!quantization.scales.empty()) {
        out["scales"] = quantization.scales.size();
        out["axis"] = quantization.axis;
    }
    return out;
}

Table tensor_table(const model::Subgraph& subgraph) {
    Table table({"tensor", "kind", "type", "shape", "quantization", "name"});
    const auto contains = [](const auto& list, std::int32_t i) {
        return std::ranges::find(list, i) != list.end();
    };
    for (std::size_t i = 0; i < subgraph.tensors.size(); ++i) {
        const model::Tensor& tensor = subgraph.tensors[i];
        const auto index = static_cast<std::int32_t>(i);
        const char* kind = contains(subgraph.inputs, index)    ? "input"
                           : contains(subgraph.outputs, index) ? "output"
                           : tensor.is_constant                ? "constant"
                           : tensor.is_variable                ? "variable"
                                                               : "";
        table.add({std::to_string(i), kind, std::string(dtype_name(tensor.dtype)),
                   known_shape(tensor), quantization_text(tensor.quantization),
                   std::string(tensor.name)});
    }
    return table;
}

Table interface_table(const model::Subgraph& subgraph) {
    Table table({"", "type", "shape", "quantization", "name"});
    for (const bool outputs : {false, true}) {
        const auto& list = outputs ? subgraph.outputs : subgraph.inputs;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const model::Tensor& tensor = subgraph.tensors[static_cast<std::size_t>(list[i])];
            table.add({(outputs ? "output " : "input ") + std::to_string(i),
                       std::string(dtype_name(tensor.dtype)), known_shape(tensor),
                       quantization_text(tensor.quantization), std::string(tensor.name)});
        }
    }
    return table;
}

OrderedJson signatures_json(const model::Model& model) {
    OrderedJson out = OrderedJson::array();
    const auto names = [](const auto& list) {
        OrderedJson json = OrderedJson::array();
        for (const auto& entry : list)
            json.push_back({{"name", entry.name}, {"tensor", entry.tensor}});
        return json;
    };
    for (const model::Signature& signature : model.signatures())
        out.push_back({{"key", signature.key},
                       {"subgraph", signature.subgraph},
                       {"inputs", names(signature.inputs)},
                       {"outputs", names(signature.outputs)}});
    return out;
}

OrderedJson metadata_json(const model::Metadata& metadata) {
    if (!metadata.present) return nullptr;
    OrderedJson out = {{"name", metadata.name},
                       {"description", metadata.description},
                       {"version", metadata.version},
                       {"author", metadata.author},
                       {"license", metadata.license}};
    const auto tensors = [](const auto& list) {
        OrderedJson json = OrderedJson::array();
        for (const model::TensorMetadata& tensor : list) {
            OrderedJson entry = {{"name", tensor.name}, {"description", tensor.description}};
            if (tensor.normalization)
                entry["normalization"] = {{"mean", tensor.normalization->mean},
                                          {"std", tensor.normalization->std}};
            if (tensor.score_threshold) entry["score_threshold"] = *tensor.score_threshold;
            for (const model::LabelFile& labels : tensor.axis_labels)
                entry["labels"].push_back({{"file", labels.name}, {"count", labels.labels.size()}});
            json.push_back(std::move(entry));
        }
        return json;
    };
    out["inputs"] = tensors(metadata.inputs);
    out["outputs"] = tensors(metadata.outputs);
    return out;
}

void say_signatures(const Session& session, const model::Model& model) {
    for (const model::Signature& signature : model.signatures()) {
        std::vector<std::string> inputs, outputs;
        for (const auto& input : signature.inputs) inputs.emplace_back(input.name);
        for (const auto& output : signature.outputs) outputs.emplace_back(output.name);
        session.say("signature  " + std::string(signature.key) + "(" + joined(inputs, ", ") +
                    ") -> " + joined(outputs, ", "));
    }
}

void say_metadata(const Session& session, const model::Metadata& metadata) {
    if (!metadata.present) return;
    session.say("metadata   " + metadata.name +
                (metadata.version.empty() ? "" : " " + metadata.version) +
                (metadata.author.empty() ? "" : ", by " + metadata.author) +
                (metadata.license.empty() ? "" : ", " + metadata.license));
    for (const model::TensorMetadata& output : metadata.outputs)
        for (const model::LabelFile& labels : output.axis_labels)
            session.say("labels     " + labels.name + ", " + std::to_string(labels.labels.size()) +
                        " of them");
}

Result<ExitCode> inspect(const Session& session, const Options& options) {
    const auto model = TRY(model::Model::load_file(TRY(model_path(options.model))));
    const ModelFacts facts = collect_facts(model);

    if (session.json()) {
        OrderedJson out = {{"model", options.model},
                           {"bytes", model->bytes().size()},
                           {"description", model->description()},
                           {"subgraphs", model->subgraphs().size()}};
        const model::Subgraph& main = model->main();
        out["inputs"] = OrderedJson::array();
        out["outputs"] = OrderedJson::array();
        out["tensors"] = OrderedJson::array();
        for (const auto i : main.inputs) out["inputs"].push_back(tensor_json(main, i));
        for (const auto i : main.outputs) out["outputs"].push_back(tensor_json(main, i));
        for (std::size_t i = 0; i < main.tensors.size(); ++i)
            out["tensors"].push_back(tensor_json(main, static_cast<std::int32_t>(i)));
        out["operators"] = OrderedJson::array();
        for (const auto& [name, version, count] : facts.operators)
            out["operators"].push_back({{"name", name}, {"version", version}, {"count", count}});
        out["signatures"] = signatures_json(*model);
        out["metadata"] = metadata_json(facts.metadata);
        out["macs"] = facts.macs;
        out["arena_bytes"] = facts.memory ? OrderedJson(facts.memory->arena_bytes) : nullptr;
        out["persistent_bytes"] =
            facts.memory ? OrderedJson(facts.memory->persistent_bytes) : nullptr;
        out["runs"] = facts.runs;
        out["notes"] = facts.notes;
        session.print_json(out);
        return exit_done;
    }
    if (options.tensors || session.format == Format::csv) {
        session.print_table(tensor_table(model->main()));
        return exit_done;
    }
    session.say(options.model + ", " + human_bytes(model->bytes().size()) +
                (model->description().empty() ? "" : ", " + std::string(model->description())));
    session.print_table(interface_table(model->main()));
    std::vector<std::string> operators;
    for (const auto& [name, version, count] : facts.operators)
        operators.push_back(std::to_string(count) + " " + name);
    session.say("operators  " + joined(operators, ", "));
    say_signatures(session, *model);
    say_metadata(session, facts.metadata);
    session.say("work       " + with_commas(facts.macs) + " multiply-adds" +
                (facts.memory ? ", arena " + human_bytes(facts.memory->arena_bytes) : ""));
    for (const std::string& note : facts.notes) session.say("note       " + note);
    return exit_done;
}

}  // namespace

void add_inspect(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb =
        app.add_subcommand("inspect", "What a model is made of, and where it will not work");
    verb->add_option("MODEL", options->model,
                     "a .tflite file, or a reference: NAME:VERSION, NAME@ALIAS")
        ->required();
    verb->add_flag("--tensors", options->tensors, "list every tensor of the main subgraph");
    verb->callback(
        [&session, options] { session.run([&] { return inspect(session, *options); }); });
}

}  // namespace skiff::cli
