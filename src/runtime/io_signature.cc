#include "runtime/io_signature.h"

#include "base/hex.h"
#include "base/sha256.h"

namespace skiff::runtime {

namespace {

std::string describe(const model::Subgraph& graph, const std::vector<std::int32_t>& tensors) {
    std::string text;
    for (const std::int32_t index : tensors) {
        const model::Tensor& tensor = graph.tensors[static_cast<std::size_t>(index)];
        text += std::string(dtype_name(tensor.dtype)) + tensor.shape_signature.to_string();
        text += tensor.quantization.scales.empty() ? ";" : "q;";
    }
    return text;
}

}  // namespace

std::string io_signature(const model::Model& model) {
    const model::Subgraph& graph = model.main();
    return sha256_hex(
        as_bytes("in:" + describe(graph, graph.inputs) + "out:" + describe(graph, graph.outputs)));
}

}  // namespace skiff::runtime
