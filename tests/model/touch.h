// Reads everything that a loaded model shows, so that a sanitizer sees any view that is wrong.
#pragma once

#include "model/calls.h"
#include "model/metadata.h"
#include "model/model.h"
#include "model/sparse.h"
#include "model/zip.h"

namespace skiff::model {

inline std::size_t touch(Bytes bytes) {
    std::size_t sum = 0;
    for (const std::uint8_t byte : bytes) sum += byte;
    return sum;
}
inline std::size_t touch(std::string_view text) {
    return touch(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

inline std::size_t touch(const Tensor& tensor) {
    std::size_t sum = touch(tensor.name) + touch(tensor.data) + tensor.shape.to_string().size();
    for (const float scale : tensor.quantization.scales) sum += scale > 0;
    if (tensor.is_sparse && tensor.shape.elements() < (1 << 20)) {
        const auto dense = densify(tensor);
        if (dense.ok()) sum += touch(*dense);
    }
    return sum;
}

// A number, so that the reads are not optimized away.
inline std::size_t touch(const Model& model) {
    std::size_t sum = touch(model.description());
    for (const Subgraph& subgraph : model.subgraphs()) {
        sum += touch(subgraph.name);
        for (const Tensor& tensor : subgraph.tensors) sum += touch(tensor);
        for (const Operator& op : subgraph.operators) {
            sum += touch(op.name) + touch(op.custom_options) + called_subgraphs(op).size();
            for (const std::int32_t input : op.inputs)
                if (input >= 0)
                    sum += touch(subgraph.tensors.at(static_cast<std::size_t>(input)).name);
            for (const std::int32_t output : op.outputs)
                sum += touch(subgraph.tensors.at(static_cast<std::size_t>(output)).name);
        }
        for (const std::int32_t tensor : subgraph.inputs)
            sum += touch(subgraph.tensors.at(static_cast<std::size_t>(tensor)).name);
        for (const std::int32_t tensor : subgraph.outputs)
            sum += touch(subgraph.tensors.at(static_cast<std::size_t>(tensor)).name);
    }
    for (const Signature& signature : model.signatures()) {
        const Subgraph& subgraph = model.subgraphs()[static_cast<std::size_t>(signature.subgraph)];
        for (const auto* list : {&signature.inputs, &signature.outputs})
            for (const SignatureTensor& tensor : *list)
                sum += touch(tensor.name) +
                       touch(subgraph.tensors.at(static_cast<std::size_t>(tensor.tensor)).name);
    }
    for (const MetadataEntry& entry : model.metadata())
        sum += touch(entry.name) + touch(entry.data);
    return sum;
}

// Loads, reads all, and reads the metadata; only the absence of crashes counts.
inline void load_and_touch(Bytes bytes) {
    const auto model = Model::load_memory(bytes, "m");
    if (!model.ok()) return;
    volatile std::size_t sum = touch(**model);
    const auto metadata = read_metadata(**model);
    sum = sum + (metadata.ok() ? metadata->inputs.size() : metadata.error().message.size());
    if (const auto zip = ZipArchive::open((*model)->bytes()); zip.ok())
        for (const std::string& name : zip->names()) sum = sum + zip->read(name).ok();
}

}  // namespace skiff::model
