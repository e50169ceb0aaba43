#include "cli/verify/inner_outputs.h"

#include "model/schema_objects.h"

namespace skiff::cli {
namespace {

// A model and the bytes that it reads in place.
struct OwnedModel {
    std::vector<std::uint8_t> bytes;
    std::shared_ptr<const model::Model> model;
};

}  // namespace

Result<InnerOutputs> with_inner_outputs(const model::Model& model) {
    InnerOutputs result;
    // The reader has verified the file, so it can be unpacked.
    const auto tree = tflite_objects::UnPackModel(model.bytes().data());
    if (tree->subgraphs.empty()) return error(Code::internal, "a model without subgraphs");
    std::vector<std::int32_t> outputs;
    const model::Subgraph& main = model.main();
    for (std::size_t node = 0; node < main.operators.size(); ++node)
        for (const std::int32_t index : main.operators[node].outputs) {
            if (index < 0) continue;
            const model::Tensor& tensor = main.tensors[static_cast<std::size_t>(index)];
            if (tensor.is_variable || dtype_bits(tensor.dtype) < 8) continue;
            outputs.push_back(index);
            result.nodes.push_back(static_cast<int>(node));
        }
    tree->subgraphs[0]->outputs = outputs;
    tree->signature_defs.clear();

    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(tflite_objects::Model::Pack(builder, tree.get()),
                   tflite_objects::ModelIdentifier());
    const auto owned = std::make_shared<OwnedModel>();
    owned->bytes.assign(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
    owned->model = TRY(model::Model::load_memory(owned->bytes, model.label()));
    result.model = std::shared_ptr<const model::Model>(owned, owned->model.get());
    return result;
}

}  // namespace skiff::cli
