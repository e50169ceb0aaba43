#include "runtime/interface.h"

#include <algorithm>

namespace skiff::runtime {
namespace {

std::vector<InterfaceTensor> by_index(const model::Subgraph& subgraph,
                                      const std::vector<std::int32_t>& tensors) {
    std::vector<InterfaceTensor> result;
    for (std::int32_t t : tensors)
        result.push_back({std::string(subgraph.tensors[static_cast<std::size_t>(t)].name), t});
    return result;
}

std::vector<InterfaceTensor> by_name(const std::vector<model::SignatureTensor>& tensors) {
    std::vector<InterfaceTensor> result;
    for (const model::SignatureTensor& t : tensors)
        result.push_back({std::string(t.name), t.tensor});
    std::stable_sort(result.begin(), result.end(),
                     [](const auto& a, const auto& b) { return a.name < b.name; });
    return result;
}

// Signatures may name any tensor; a caller may only write the subgraph's inputs, and read its
// outputs.
Status check_among(const std::vector<InterfaceTensor>& named,
                   const std::vector<std::int32_t>& tensors, const char* what) {
    for (const InterfaceTensor& t : named)
        if (std::find(tensors.begin(), tensors.end(), t.tensor) == tensors.end())
            return error(Code::invalid_argument, std::string("the signature's ") + what + " '" +
                                                     t.name + "' is not one of its subgraph's");
    return {};
}

Result<Interface> from_signature(const model::Model& model, const model::Signature& signature) {
    const auto& subgraph = model.subgraphs()[static_cast<std::size_t>(signature.subgraph)];
    Interface interface { &subgraph, by_name(signature.inputs), by_name(signature.outputs) };
    TRY(check_among(interface.inputs, subgraph.inputs, "input"));
    TRY(check_among(interface.outputs, subgraph.outputs, "output"));
    return interface;
}

}  // namespace

Result<Interface> select_interface(const model::Model& model, const std::string& signature) {
    if (signature.empty()) {
        const model::Subgraph& main = model.main();
        return Interface{&main, by_index(main, main.inputs), by_index(main, main.outputs)};
    }
    std::string known;
    for (const model::Signature& candidate : model.signatures()) {
        if (candidate.key == signature) return from_signature(model, candidate);
        known += (known.empty() ? "" : ", ") + std::string(candidate.key);
    }
    return error(Code::not_found,
                 "the model has no signature '" + signature + "'" +
                     (known.empty() ? "; it has none at all" : "; it has: " + known));
}

}  // namespace skiff::runtime
