#include "model/reader.h"

#include <algorithm>

namespace skiff::model {

Result<Contents> Reader::read() {
    if (Status status = verify(); !status.ok()) return status.take_error();
    model_ = tflite::GetModel(file_.data());
    if (model_->version() != 3)
        return broken({}, "format version " + std::to_string(model_->version()) +
                              " instead of 3, the only one there is");
    if (length(model_->subgraphs()) == 0) return broken({}, "there is no subgraph in it");
    contents_.description = text(model_->description());
    for (const tflite::SubGraph* subgraph : *model_->subgraphs())
        for (std::size_t i = 0; i < length(subgraph->tensors()) && !states_ranks_; ++i)
            states_ranks_ = subgraph->tensors()->Get(static_cast<unsigned>(i))->has_rank();

    const int subgraphs = static_cast<int>(length(model_->subgraphs()));
    for (int i = 0; i < subgraphs; ++i) contents_.subgraphs.push_back(TRY(read_subgraph(i)));
    if (Status status = check_calls(contents_.subgraphs); !status.ok()) return status.take_error();
    if (Status status = read_signatures(); !status.ok()) return status.take_error();
    if (Status status = read_metadata_entries(); !status.ok()) return status.take_error();
    return std::move(contents_);
}

Status Reader::verify() {
    if (file_.size() < 8 || !tflite::ModelBufferHasIdentifier(file_.data()))
        return error(Code::invalid_argument,
                     "not a .tflite model: the bytes 4 to 7 are not 'TFL3' (give a file that a "
                     "TensorFlow Lite or LiteRT converter wrote)");
    flatbuffers::Verifier::Options options;
    options.max_depth = 64;
    // Every table takes at least eight bytes, four of them for being pointed to.
    options.max_tables = static_cast<flatbuffers::uoffset_t>(
        std::min<std::size_t>(1000 + file_.size() / 8, UINT32_MAX));
    // The flatbuffer itself ends below 2 GB; constants may lie behind it.
    const std::size_t reach = std::min<std::size_t>(file_.size(), FLATBUFFERS_MAX_BUFFER_SIZE - 1);
    flatbuffers::Verifier verifier(file_.data(), reach, options);
    if (!tflite::VerifyModelBuffer(verifier))
        return broken({}, "the flatbuffer's structure is broken or cut off");
    return {};
}

namespace {

Status check_indices(const std::vector<std::int32_t>& indices, std::size_t tensor_count,
                     const char* role, int subgraph) {
    for (const std::int32_t index : indices)
        if (index < 0 || static_cast<std::size_t>(index) >= tensor_count)
            return broken({subgraph}, std::string(role) + " names tensor " + std::to_string(index) +
                                          ", and there are " + std::to_string(tensor_count));
    return {};
}

}  // namespace

Result<Subgraph> Reader::read_subgraph(int index) {
    const tflite::SubGraph& source = *model_->subgraphs()->Get(static_cast<unsigned>(index));
    Subgraph subgraph;
    subgraph.name = text(source.name());
    const std::size_t tensors = length(source.tensors());
    subgraph.tensors.reserve(tensors);
    for (unsigned i = 0; i < tensors; ++i) {
        const tflite::Tensor& tensor = *source.tensors()->Get(i);
        const Place place = tensor_place(index, static_cast<int>(i), text(tensor.name()));
        subgraph.tensors.push_back(TRY(read_tensor(tensor, place)));
    }
    TRY(budget_.charge((length(source.inputs()) + length(source.outputs())) * 4, {index}));
    if (source.inputs()) subgraph.inputs.assign(source.inputs()->begin(), source.inputs()->end());
    if (source.outputs())
        subgraph.outputs.assign(source.outputs()->begin(), source.outputs()->end());
    TRY(check_indices(subgraph.inputs, tensors, "an input", index));
    TRY(check_indices(subgraph.outputs, tensors, "an output", index));
    const std::size_t operators = length(source.operators());
    subgraph.operators.reserve(operators);
    for (unsigned i = 0; i < operators; ++i)
        subgraph.operators.push_back(
            TRY(read_operator(*source.operators()->Get(i), index, static_cast<int>(i), tensors)));
    TRY(order_operators(subgraph, index));
    return subgraph;
}

Status Reader::read_signatures() {
    for (unsigned i = 0; i < length(model_->signature_defs()); ++i) {
        const tflite::SignatureDef& source = *model_->signature_defs()->Get(i);
        Signature signature;
        signature.key = text(source.signature_key());
        const Place place{-1, "signature", static_cast<int>(i), signature.key};
        if (source.subgraph_index() >= contents_.subgraphs.size())
            return broken(place, "names subgraph " + std::to_string(source.subgraph_index()) +
                                     ", and there are " +
                                     std::to_string(contents_.subgraphs.size()));
        signature.subgraph = static_cast<std::int32_t>(source.subgraph_index());
        const std::size_t tensors = contents_.subgraphs[source.subgraph_index()].tensors.size();
        using Maps = flatbuffers::Vector<flatbuffers::Offset<tflite::TensorMap>>;
        const auto read = [&](const Maps* maps, std::vector<SignatureTensor>& to) -> Status {
            for (unsigned m = 0; m < length(maps); ++m) {
                const tflite::TensorMap& map = *maps->Get(m);
                if (map.tensor_index() >= tensors)
                    return broken(place, quoted(text(map.name())) + " is tensor " +
                                             std::to_string(map.tensor_index()) +
                                             ", and its subgraph has " + std::to_string(tensors));
                to.push_back({text(map.name()), static_cast<std::int32_t>(map.tensor_index())});
            }
            return {};
        };
        TRY(read(source.inputs(), signature.inputs));
        TRY(read(source.outputs(), signature.outputs));
        contents_.signatures.push_back(std::move(signature));
    }
    return {};
}

Status Reader::read_metadata_entries() {
    for (unsigned i = 0; i < length(model_->metadata()); ++i) {
        const tflite::Metadata& source = *model_->metadata()->Get(i);
        const Place place{-1, "metadata entry", static_cast<int>(i), text(source.name())};
        const Bytes bytes = TRY(buffer_bytes(source.buffer(), place));
        contents_.metadata.push_back({text(source.name()), bytes});
    }
    return {};
}

}  // namespace skiff::model
