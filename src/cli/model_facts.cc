#include "cli/model_facts.h"

#include <algorithm>
#include <map>

#include "cli/table.h"
#include "runtime/model_cost.h"

namespace skiff::cli {
namespace {

std::vector<OperatorCount> count_operators(const model::Model& model) {
    std::map<std::pair<std::string, int>, int> counts;
    for (const model::Subgraph& subgraph : model.subgraphs())
        for (const model::Operator& op : subgraph.operators)
            ++counts[{(op.builtin_code == 32 ? "CUSTOM " : "") + std::string(op.name), op.version}];
    std::vector<OperatorCount> result;
    result.reserve(counts.size());
    for (const auto& [key, count] : counts) result.push_back({key.first, key.second, count});
    std::ranges::stable_sort(result, std::ranges::greater{}, &OperatorCount::count);
    return result;
}

// Image labelling turns pixels into values by the normalization; whole numbers carry their own
// scale.
bool needs_normalization(const model::Tensor& input) {
    return input.dtype == DType::float32 && input.shape.rank() == 4 &&
           (input.shape[3] == 1 || input.shape[3] == 3);
}

void note_metadata(const model::Model& model, const model::Metadata& metadata,
                   std::vector<std::string>& notes) {
    const model::Subgraph& main = model.main();
    const bool normalized = !metadata.inputs.empty() && metadata.inputs[0].normalization;
    if (!main.inputs.empty() && !normalized &&
        needs_normalization(main.tensors[static_cast<std::size_t>(main.inputs[0])]))
        notes.push_back("no normalization metadata: image labelling will refuse it");
    for (std::size_t i = 0; i < metadata.outputs.size() && i < main.outputs.size(); ++i) {
        const Shape& shape = main.tensors[static_cast<std::size_t>(main.outputs[i])].shape;
        const std::int64_t classes = shape.rank() > 0 ? shape[shape.rank() - 1] : 0;
        for (const model::LabelFile& labels : metadata.outputs[i].axis_labels)
            if (static_cast<std::int64_t>(labels.labels.size()) < classes)
                notes.push_back(labels.name + " has " +
                                with_commas(static_cast<std::int64_t>(labels.labels.size())) +
                                " labels for " + with_commas(classes) + " classes of output " +
                                std::to_string(i) + ": the rest have no name");
    }
}

void note_interface(const model::Subgraph& main, std::vector<std::string>& notes) {
    for (std::size_t i = 0; i < main.inputs.size(); ++i) {
        const model::Tensor& input = main.tensors[static_cast<std::size_t>(main.inputs[i])];
        const bool open = std::ranges::any_of(input.shape_signature, [](int d) { return d < 0; });
        if (open || !input.has_rank)
            notes.push_back("input " + std::to_string(i) + " has no fixed shape (" +
                            (input.has_rank ? input.shape_signature.to_string() : "unknown rank") +
                            "): it runs as " + input.shape.to_string() + " unless resized");
    }
}

}  // namespace

ModelFacts collect_facts(const std::shared_ptr<const model::Model>& model) {
    ModelFacts facts;
    facts.operators = count_operators(*model);
    facts.macs = runtime::subgraph_macs(model->main());

    const auto missing = runtime::missing_operators(*model);
    if (!missing.empty()) {
        facts.notes.push_back("skiff cannot run it: no kernel for " + joined(missing, ", "));
    } else if (auto interpreter = runtime::Interpreter::create(model); !interpreter.ok()) {
        facts.notes.push_back("skiff cannot run it: " + interpreter.error().message);
    } else if (const Status prepared = (*interpreter)->prepare(); !prepared.ok()) {
        facts.notes.push_back("skiff cannot run it: " + prepared.error().message);
    } else {
        facts.memory = (*interpreter)->memory();
        facts.runs = true;
    }

    note_interface(model->main(), facts.notes);
    auto metadata = model::read_metadata(*model);
    if (metadata.ok()) {
        facts.metadata = std::move(metadata).value();
        note_metadata(*model, facts.metadata, facts.notes);
    } else {
        facts.notes.push_back("its metadata cannot be read: " + metadata.error().message);
    }
    return facts;
}

std::string quantization_text(const model::TensorQuantization& quantization) {
    if (quantization.scales.empty()) return "";
    if (quantization.scales.size() > 1)
        return std::to_string(quantization.scales.size()) + " scales on axis " +
               std::to_string(quantization.axis);
    return "scale " + compact(quantization.scales[0], 6) + " zero " +
           std::to_string(quantization.zero_points.empty() ? 0 : quantization.zero_points[0]);
}

}  // namespace skiff::cli
