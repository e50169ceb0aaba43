#include "runtime/engines/library_interface.h"

#include <algorithm>
#include <string>

namespace skiff::runtime {

Result<LibraryInterface> library_interface(const model::Model& model, std::string_view signature) {
    LibraryInterface result;
    if (signature.empty()) {
        result.inputs = model.main().inputs;
        result.outputs = model.main().outputs;
        return result;
    }
    std::string known;
    for (const model::Signature& candidate : model.signatures()) {
        if (candidate.key == signature) {
            result.subgraph = candidate.subgraph;
            result.signature = candidate.key;
            for (const auto& input : candidate.inputs) result.inputs.push_back(input.tensor);
            for (const auto& output : candidate.outputs) result.outputs.push_back(output.tensor);
            return result;
        }
        known += (known.empty() ? "" : ", ") + std::string(candidate.key);
    }
    return error(Code::not_found,
                 model.label() + " has no signature " + std::string(signature) +
                     (known.empty() ? " (it has none at all)" : " (it has: " + known + ")"));
}

TensorInfo tensor_info(const model::Model& model, int subgraph, std::int32_t tensor) {
    const model::Tensor& source = model.subgraphs()[static_cast<std::size_t>(subgraph)]
                                      .tensors[static_cast<std::size_t>(tensor)];
    TensorInfo info;
    info.name = std::string(source.name);
    info.dtype = source.dtype;
    if (source.quantization.scales.size() == 1) {
        info.quantization.scale = source.quantization.scales[0];
        if (!source.quantization.zero_points.empty())
            info.quantization.zero_point =
                static_cast<std::int32_t>(source.quantization.zero_points[0]);
    }
    return info;
}

bool keeps_state(const model::Model& model) {
    for (const model::Subgraph& subgraph : model.subgraphs()) {
        if (std::ranges::any_of(subgraph.tensors, &model::Tensor::is_variable)) return true;
        for (const model::Operator& op : subgraph.operators)
            if (op.name == "VAR_HANDLE" || op.name == "HASHTABLE") return true;
    }
    return false;
}

std::size_t tensor_bytes(DType dtype, const Shape& shape) {
    const auto bits =
        static_cast<std::size_t>(shape.elements()) * static_cast<std::size_t>(dtype_bits(dtype));
    return (bits + 7) / 8;
}

Result<std::vector<std::size_t>> positions_of(std::span<const std::int32_t> wanted,
                                              std::span<const std::int32_t> offered,
                                              std::string_view engine) {
    std::vector<std::size_t> positions;
    for (const std::int32_t tensor : wanted) {
        const auto found = std::ranges::find(offered, tensor);
        if (found == offered.end() || wanted.size() != offered.size())
            return error(Code::unimplemented,
                         std::string(engine) +
                             " offers other inputs or outputs than asked for: its interface only "
                             "runs whole signatures (name one with --signature)");
        positions.push_back(static_cast<std::size_t>(found - offered.begin()));
    }
    return positions;
}

}  // namespace skiff::runtime
