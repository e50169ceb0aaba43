#include "model/builder.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "model/builder_ops.h"
#include "model/errors.h"
#include "model/metadata_writer.h"
#include "model/model.h"
#include "model/schema.h"

namespace skiff::model {

namespace {

// Constants begin at multiples of 16, as in converters' files, so that kernels may read them in
// place.
constexpr std::size_t buffer_alignment = 16;

// A flatbuffer ends below 2 GB.
constexpr std::size_t most_constant_bytes = std::size_t{3} << 29;

using Buffers = std::vector<flatbuffers::Offset<tflite::Buffer>>;

flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> aligned_vector(
    flatbuffers::FlatBufferBuilder& fbb, Bytes data) {
    fbb.ForceVectorAlignment(data.size(), 1, buffer_alignment);
    return fbb.CreateVector(data.data(), data.size());
}

std::uint32_t add_buffer(flatbuffers::FlatBufferBuilder& fbb, Buffers& buffers, Bytes data) {
    buffers.push_back(tflite::CreateBuffer(fbb, aligned_vector(fbb, data)));
    return static_cast<std::uint32_t>(buffers.size() - 1);
}

flatbuffers::Offset<tflite::Tensor> write_tensor(flatbuffers::FlatBufferBuilder& fbb,
                                                 Buffers& buffers, const TensorSpec& spec) {
    // Buffer 0 is the empty one, for all that is not constant.
    const std::uint32_t buffer = spec.data.empty() ? 0 : add_buffer(fbb, buffers, spec.data);
    const auto shape = fbb.CreateVector(spec.shape);
    const auto signature =
        spec.shape_signature.empty() ? 0 : fbb.CreateVector(spec.shape_signature);
    const auto name = fbb.CreateString(spec.name);
    flatbuffers::Offset<tflite::QuantizationParameters> quantization = 0;
    if (!spec.scales.empty()) {
        const auto scales = fbb.CreateVector(spec.scales);
        const auto zero_points = fbb.CreateVector(spec.zero_points);
        quantization = tflite::CreateQuantizationParameters(
            fbb, 0, 0, scales, zero_points, tflite::QuantizationDetails_NONE, 0, spec.axis);
    }
    return tflite::CreateTensor(fbb, shape, static_cast<tflite::TensorType>(spec.dtype), buffer,
                                name, quantization, spec.is_variable, 0, signature,
                                /*has_rank=*/true);
}

// One entry per operator, version and custom name in use.
class OperatorCodes {
 public:
    std::uint32_t index_of(const OperatorSpec& spec) {
        const auto key = std::make_tuple(spec.builtin_code, spec.version, spec.custom_code);
        const auto [place, is_new] = index_.emplace(key, static_cast<std::uint32_t>(keys_.size()));
        if (is_new) keys_.push_back(key);
        return place->second;
    }
    std::vector<flatbuffers::Offset<tflite::OperatorCode>> write(
        flatbuffers::FlatBufferBuilder& fbb) const {
        std::vector<flatbuffers::Offset<tflite::OperatorCode>> codes;
        for (const auto& [builtin, version, custom] : keys_) {
            const auto name = custom.empty() ? 0 : fbb.CreateString(custom);
            // Readers from before the wide field look at the byte.
            const auto narrow = static_cast<std::int8_t>(std::min(builtin, 127));
            codes.push_back(tflite::CreateOperatorCode(
                fbb, narrow, name, version, static_cast<tflite::BuiltinOperator>(builtin)));
        }
        return codes;
    }

 private:
    using Key = std::tuple<std::int32_t, int, std::string>;
    std::map<Key, std::uint32_t> index_;
    std::vector<Key> keys_;
};

flatbuffers::Offset<tflite::Operator> write_operator(flatbuffers::FlatBufferBuilder& fbb,
                                                     OperatorCodes& codes,
                                                     const OperatorSpec& spec) {
    // The stablehlo operators and their like keep their options in the second union.
    const bool second = spec.builtin_code >= tflite::BuiltinOperator_STABLEHLO_LOGISTIC;
    std::pair<int, std::uint32_t> options{0, 0};
    if (spec.options) options = spec.options(fbb);
    const auto inputs = fbb.CreateVector(spec.inputs);
    const auto outputs = fbb.CreateVector(spec.outputs);
    tflite::OperatorBuilder builder(fbb);
    builder.add_opcode_index(codes.index_of(spec));
    builder.add_inputs(inputs);
    builder.add_outputs(outputs);
    if (options.first != 0 && second) {
        builder.add_builtin_options_2_type(static_cast<tflite::BuiltinOptions2>(options.first));
        builder.add_builtin_options_2(options.second);
    } else if (options.first != 0) {
        builder.add_builtin_options_type(static_cast<tflite::BuiltinOptions>(options.first));
        builder.add_builtin_options(options.second);
    }
    return builder.Finish();
}

using TensorMaps = std::vector<flatbuffers::Offset<tflite::TensorMap>>;

TensorMaps write_maps(flatbuffers::FlatBufferBuilder& fbb,
                      const std::vector<std::pair<std::string, std::int32_t>>& tensors) {
    TensorMaps maps;
    for (const auto& [name, tensor] : tensors)
        maps.push_back(tflite::CreateTensorMap(fbb, fbb.CreateString(name),
                                               static_cast<std::uint32_t>(tensor)));
    return maps;
}

}  // namespace

std::int32_t Builder::add_tensor(TensorSpec spec) {
    tensors_.push_back(std::move(spec));
    return static_cast<std::int32_t>(tensors_.size()) - 1;
}
void Builder::add_operator(OperatorSpec spec) {
    operators_.push_back(std::move(spec));
}
void Builder::set_inputs(std::vector<std::int32_t> tensors) {
    inputs_ = std::move(tensors);
}
void Builder::set_outputs(std::vector<std::int32_t> tensors) {
    outputs_ = std::move(tensors);
}
void Builder::add_signature(SignatureSpec spec) {
    signatures_.push_back(std::move(spec));
}
void Builder::set_description(std::string text) {
    description_ = std::move(text);
}
void Builder::add_metadata(std::string name, std::vector<std::uint8_t> data) {
    metadata_.emplace_back(std::move(name), std::move(data));
}
void Builder::set_image_metadata(MetadataSpec spec) {
    image_metadata_ = std::move(spec);
}

Result<std::vector<std::uint8_t>> Builder::write() const {
    std::size_t constant_bytes = 0;
    for (const TensorSpec& tensor : tensors_) constant_bytes += tensor.data.size();
    if (constant_bytes > most_constant_bytes)
        return error(Code::unimplemented,
                     "the constants take more than 1.5 GB, which this builder does not write");
    if (image_metadata_)
        for (const LabelSpec& file : image_metadata_->output_labels)
            for (const std::string& label : file.labels)
                if (label.find('\n') != label.npos)
                    return error(Code::invalid_argument,
                                 "label " + quoted(label) + " has more than one line");
    std::vector<std::uint8_t> file = write_flatbuffer();
    if (image_metadata_) {
        const std::vector<std::uint8_t> files =
            write_zip(label_files(*image_metadata_), file.size());
        file.insert(file.end(), files.begin(), files.end());
    }
    TRY(Model::load_memory(file, "the model being built"));
    return file;
}

std::vector<std::uint8_t> Builder::write_flatbuffer() const {
    flatbuffers::FlatBufferBuilder fbb;
    Buffers buffers{tflite::CreateBuffer(fbb)};
    std::vector<flatbuffers::Offset<tflite::Tensor>> tensors;
    for (const TensorSpec& spec : tensors_) tensors.push_back(write_tensor(fbb, buffers, spec));
    OperatorCodes codes;
    std::vector<flatbuffers::Offset<tflite::Operator>> operators;
    for (OperatorSpec spec : operators_) {
        if (spec.version == 0) spec.version = lowest_version(spec, tensors_);
        operators.push_back(write_operator(fbb, codes, spec));
    }
    const std::vector subgraphs{
        tflite::CreateSubGraphDirect(fbb, &tensors, &inputs_, &outputs_, &operators, "main")};
    std::vector<flatbuffers::Offset<tflite::Metadata>> metadata;
    const auto add_metadata = [&](const std::string& name, Bytes data) {
        const std::uint32_t buffer = add_buffer(fbb, buffers, data);
        metadata.push_back(tflite::CreateMetadata(fbb, fbb.CreateString(name), buffer));
    };
    for (const auto& [name, data] : metadata_) add_metadata(name, data);
    if (image_metadata_)
        add_metadata("TFLITE_METADATA",
                     write_image_metadata(*image_metadata_, inputs_.size(), outputs_.size()));
    std::vector<flatbuffers::Offset<tflite::SignatureDef>> signatures;
    for (const SignatureSpec& spec : signatures_) {
        const TensorMaps inputs = write_maps(fbb, spec.inputs);
        const TensorMaps outputs = write_maps(fbb, spec.outputs);
        signatures.push_back(
            tflite::CreateSignatureDefDirect(fbb, &inputs, &outputs, spec.key.c_str(), 0));
    }
    const auto operator_codes = codes.write(fbb);
    tflite::FinishModelBuffer(
        fbb, tflite::CreateModelDirect(fbb, 3, &operator_codes, &subgraphs, description_.c_str(),
                                       &buffers, nullptr, &metadata, &signatures));
    return {fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize()};
}

}  // namespace skiff::model
