#include "runtime/engines/litert_model.h"

#include <algorithm>

#include "model/schema.h"

namespace skiff::runtime {
namespace {

bool is_variable_input(const model::Subgraph& subgraph, std::size_t tensor) {
    return subgraph.tensors[tensor].is_variable &&
           std::ranges::find(subgraph.inputs, static_cast<std::int32_t>(tensor)) !=
               subgraph.inputs.end();
}

template <typename Visit>
void for_each_tensor(const model::Model& model, const Visit& visit) {
    for (std::size_t s = 0; s < model.subgraphs().size(); ++s)
        for (std::size_t t = 0; t < model.subgraphs()[s].tensors.size(); ++t) visit(s, t);
}

}  // namespace

std::vector<std::uint8_t> without_variable_inputs(const model::Model& model) {
    std::vector<std::uint8_t> copy;
    for_each_tensor(model, [&](std::size_t s, std::size_t t) {
        if (!is_variable_input(model.subgraphs()[s], t)) return;
        if (copy.empty()) copy.assign(model.bytes().begin(), model.bytes().end());
        const auto* root = tflite::GetModel(copy.data());  // verified when the model was loaded
        const tflite::Tensor* tensor = root->subgraphs()
                                           ->Get(static_cast<flatbuffers::uoffset_t>(s))
                                           ->tensors()
                                           ->Get(static_cast<flatbuffers::uoffset_t>(t));
        // The generated types are read-only faces of flatbuffers::Table, which can overwrite a
        // scalar in place.
        auto* table = reinterpret_cast<flatbuffers::Table*>(const_cast<tflite::Tensor*>(tensor));
        table->SetField<std::uint8_t>(tflite::Tensor::VT_IS_VARIABLE, 0, 0);
    });
    return copy;
}

bool has_variables(const model::Model& model) {
    bool found = false;
    for_each_tensor(model, [&](std::size_t s, std::size_t t) {
        const model::Subgraph& subgraph = model.subgraphs()[s];
        found |= subgraph.tensors[t].is_variable && !is_variable_input(subgraph, t);
    });
    return found;
}

}  // namespace skiff::runtime
