#include "runtime/support.h"

#include <algorithm>

#include "kernels/kernel.h"
#include "runtime/interpreter.h"

namespace skiff::runtime {
namespace {

constexpr std::int32_t custom_operator = 32;

bool has_kernel(const model::Operator& op) {
    const kernels::Registration* registration = kernels::find_kernel(op.builtin_code);
    return registration && op.version <= registration->max_version;
}

std::string with_version(const model::Operator& op) {
    if (op.builtin_code == custom_operator) return "CUSTOM " + std::string(op.name);
    return std::string(op.name) + " (version " + std::to_string(op.version) + ")";
}

Status check_tensor(const model::Tensor& tensor) {
    const std::string name = "tensor '" + std::string(tensor.name) + "' ";
    if (tensor.is_sparse)
        return error(Code::unimplemented,
                     name + "is stored sparse, which this runtime does not read; store it dense");
    if (dtype_bits(tensor.dtype) < 8)
        return error(Code::unimplemented, name + "has the element type " +
                                              std::string(dtype_name(tensor.dtype)) +
                                              ", which this runtime does not compute with");
    return {};
}

Status check_tensors(const model::Subgraph& subgraph) {
    auto at = [&](std::int32_t t) -> const model::Tensor& {
        return subgraph.tensors[static_cast<std::size_t>(t)];
    };
    for (const model::Operator& op : subgraph.operators) {
        for (std::int32_t t : op.inputs)
            if (t >= 0) TRY(check_tensor(at(t)));
        for (std::int32_t t : op.outputs) {
            TRY(check_tensor(at(t)));
            if (at(t).is_variable)
                return error(Code::unimplemented,
                             "operator " + std::string(op.name) + " writes the variable tensor '" +
                                 std::string(at(t).name) + "' as an output; that is not supported");
        }
    }
    for (const auto* list : {&subgraph.inputs, &subgraph.outputs})
        for (std::int32_t t : *list) TRY(check_tensor(at(t)));
    return {};
}

}  // namespace

std::vector<std::string> missing_operators(const model::Subgraph& subgraph) {
    std::vector<std::pair<std::string, int>> counts;
    for (const model::Operator& op : subgraph.operators) {
        if (has_kernel(op)) continue;
        const std::string name = with_version(op);
        auto found = std::find_if(counts.begin(), counts.end(),
                                  [&](const auto& entry) { return entry.first == name; });
        if (found == counts.end()) found = counts.insert(counts.end(), {name, 0});
        ++found->second;
    }
    std::vector<std::string> result;
    for (const auto& [name, count] : counts) result.push_back(name + " x" + std::to_string(count));
    return result;
}

std::vector<std::string> missing_operators(const model::Model& model) {
    return missing_operators(model.main());
}

Status check_supported(const model::Subgraph& subgraph) {
    std::string list;
    for (const std::string& missing : missing_operators(subgraph))
        list += (list.empty() ? "" : ", ") + missing;
    if (!list.empty())
        return error(Code::unimplemented,
                     "model needs operators this runtime does not have: " + list);
    return check_tensors(subgraph);
}

std::string describe_node(const model::Subgraph& subgraph, int node) {
    const model::Operator& op = subgraph.operators[static_cast<std::size_t>(node)];
    std::string text = "node " + std::to_string(node) + " " + std::string(op.name);
    if (!op.outputs.empty() && op.outputs[0] >= 0)
        text += " (output '" +
                std::string(subgraph.tensors[static_cast<std::size_t>(op.outputs[0])].name) + "')";
    return text;
}

}  // namespace skiff::runtime
