#include "runtime/engines/library_tensors.h"

#include <algorithm>
#include <string>

namespace skiff::runtime {

TensorInfo tensor_info(const Interface& interface, const InterfaceTensor& tensor) {
    const model::Tensor& source =
        interface.subgraph->tensors[static_cast<std::size_t>(tensor.tensor)];
    TensorInfo info;
    info.name = tensor.name;
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

Result<std::vector<std::size_t>> positions_of(std::span<const InterfaceTensor> wanted,
                                              std::span<const std::int32_t> offered,
                                              std::string_view engine) {
    std::vector<std::size_t> positions;
    for (const InterfaceTensor& tensor : wanted) {
        const auto found = std::ranges::find(offered, tensor.tensor);
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
