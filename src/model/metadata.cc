#include "model/metadata.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/hex.h"
#include "model/budget.h"
#include "model/reader.h"
#include "model/zip.h"

namespace skiff::model {

namespace {

namespace fb = tflite::metadata;

constexpr std::size_t most_label_bytes = std::size_t{16} << 20;

class MetadataReader {
 public:
    MetadataReader(Bytes metadata, ZipArchive files)
        : files_(std::move(files)), budget_(metadata.size()) {}

    Result<Metadata> read(const fb::ModelMetadata& source, const Subgraph& main);

 private:
    using Tensors = flatbuffers::Vector<flatbuffers::Offset<fb::TensorMetadata>>;

    Result<std::string> copy(const flatbuffers::String* source);
    Result<std::vector<float>> copy(const flatbuffers::Vector<float>* source);
    Result<std::vector<TensorMetadata>> read_tensors(const Tensors* source, std::size_t model_has,
                                                     const char* kind);
    Result<TensorMetadata> read_tensor(const fb::TensorMetadata& source);
    Status read_process_unit(const fb::ProcessUnit& unit, const fb::TensorMetadata& source,
                             TensorMetadata& tensor);
    Result<Normalization> read_normalization(const fb::NormalizationOptions& source);
    Result<ScoreCalibration> read_calibration(const fb::ScoreCalibrationOptions& source,
                                              const fb::TensorMetadata& tensor);
    Result<std::string> read_file(const fb::AssociatedFile& file);

    ZipArchive files_;
    Budget budget_;
    std::size_t file_bytes_ = 0;
    Place place_ = {};
};

Result<std::string> MetadataReader::copy(const flatbuffers::String* source) {
    TRY(budget_.charge(text(source).size(), place_));
    return std::string(text(source));
}

Result<std::vector<float>> MetadataReader::copy(const flatbuffers::Vector<float>* source) {
    TRY(budget_.charge(length(source) * sizeof(float), place_));
    return source ? std::vector<float>(source->begin(), source->end()) : std::vector<float>();
}

Result<Metadata> MetadataReader::read(const fb::ModelMetadata& source, const Subgraph& main) {
    Metadata metadata;
    metadata.present = true;
    metadata.name = TRY(copy(source.name()));
    metadata.description = TRY(copy(source.description()));
    metadata.version = TRY(copy(source.version()));
    metadata.author = TRY(copy(source.author()));
    metadata.license = TRY(copy(source.license()));
    metadata.min_parser_version = TRY(copy(source.min_parser_version()));
    if (length(source.subgraph_metadata()) == 0) return metadata;
    const fb::SubGraphMetadata& subgraph = *source.subgraph_metadata()->Get(0);
    metadata.inputs =
        TRY(read_tensors(subgraph.input_tensor_metadata(), main.inputs.size(), "input"));
    metadata.outputs =
        TRY(read_tensors(subgraph.output_tensor_metadata(), main.outputs.size(), "output"));
    return metadata;
}

Result<std::vector<TensorMetadata>> MetadataReader::read_tensors(const Tensors* source,
                                                                 std::size_t model_has,
                                                                 const char* kind) {
    place_ = {};
    if (length(source) > model_has)
        return broken(place_, "describes " + std::to_string(length(source)) + " " + kind +
                                  "s of a model that has " + std::to_string(model_has));
    std::vector<TensorMetadata> tensors;
    for (unsigned i = 0; i < length(source); ++i) {
        place_ = {-1, kind, static_cast<int>(i), text(source->Get(i)->name())};
        tensors.push_back(TRY(read_tensor(*source->Get(i))));
    }
    return tensors;
}

Result<TensorMetadata> MetadataReader::read_tensor(const fb::TensorMetadata& source) {
    TensorMetadata tensor;
    tensor.name = TRY(copy(source.name()));
    tensor.description = TRY(copy(source.description()));
    if (const fb::Content* content = source.content()) {
        if (const auto* image = content->content_properties_as_ImageProperties()) {
            tensor.is_image = true;
            if (image->color_space() == fb::ColorSpaceType_RGB)
                tensor.color_space = TensorMetadata::ColorSpace::rgb;
            if (image->color_space() == fb::ColorSpaceType_GRAYSCALE)
                tensor.color_space = TensorMetadata::ColorSpace::grayscale;
        }
    }
    for (unsigned i = 0; i < length(source.process_units()); ++i)
        TRY(read_process_unit(*source.process_units()->Get(i), source, tensor));
    for (unsigned i = 0; i < length(source.associated_files()); ++i) {
        const fb::AssociatedFile& file = *source.associated_files()->Get(i);
        if (file.type() != fb::AssociatedFileType_TENSOR_AXIS_LABELS) continue;
        LabelFile labels;
        labels.labels = parse_labels(TRY(read_file(file)));
        labels.name = TRY(copy(file.name()));
        labels.locale = TRY(copy(file.locale()));
        tensor.axis_labels.push_back(std::move(labels));
    }
    return tensor;
}

Status MetadataReader::read_process_unit(const fb::ProcessUnit& unit,
                                         const fb::TensorMetadata& source, TensorMetadata& tensor) {
    if (const auto* normalization = unit.options_as_NormalizationOptions())
        tensor.normalization = TRY(read_normalization(*normalization));
    if (const auto* threshold = unit.options_as_ScoreThresholdingOptions()) {
        if (!std::isfinite(threshold->global_score_threshold()))
            return broken(place_, "the score threshold is not a number");
        tensor.score_threshold = threshold->global_score_threshold();
    }
    if (const auto* calibration = unit.options_as_ScoreCalibrationOptions())
        tensor.calibration = TRY(read_calibration(*calibration, source));
    return {};
}

Result<Normalization> MetadataReader::read_normalization(const fb::NormalizationOptions& source) {
    Normalization normalization;
    normalization.mean = TRY(copy(source.mean()));
    normalization.std = TRY(copy(source.std()));
    if (normalization.mean.size() != normalization.std.size() || normalization.mean.empty())
        return broken(place_, "normalization has " + std::to_string(normalization.mean.size()) +
                                  " mean and " + std::to_string(normalization.std.size()) +
                                  " std values");
    for (const float mean : normalization.mean)
        if (!std::isfinite(mean))
            return broken(place_, "a normalization mean is " + std::to_string(mean));
    for (const float std : normalization.std)
        if (!std::isfinite(std) || std == 0)
            return broken(place_, "a normalization std is " + std::to_string(std));
    return normalization;
}

// "scale,slope,offset" or "scale,slope,offset,min_score"; an empty line leaves its class
// uncalibrated.
Result<std::optional<ScoreCalibration::Sigmoid>> parse_sigmoid(std::string_view line,
                                                               std::string_view file,
                                                               std::size_t number) {
    if (line.empty()) return std::optional<ScoreCalibration::Sigmoid>();
    float values[4];
    std::size_t count = 0;
    bool good = true;
    while (good && count < 4) {
        const std::size_t comma = line.find(',');
        std::string_view field = line.substr(0, comma);
        while (field.starts_with(' ')) field.remove_prefix(1);
        while (field.ends_with(' ')) field.remove_suffix(1);
        const char* end = field.data() + field.size();
        const auto parsed = std::from_chars(field.data(), end, values[count++]);
        good = parsed.ec == std::errc() && parsed.ptr == end;
        line.remove_prefix(comma == line.npos ? line.size() : comma + 1);
        if (comma == line.npos) break;
    }
    if (!good || count < 3 || !line.empty() || values[0] < 0)
        return error(Code::invalid_argument,
                     "score calibration file " + quoted(file) + ", line " + std::to_string(number) +
                         ": not 'scale,slope,offset' with a scale of at least 0");
    ScoreCalibration::Sigmoid sigmoid{values[0], values[1], values[2], std::nullopt};
    if (count == 4) sigmoid.min_score = values[3];
    return std::optional(sigmoid);
}

Result<ScoreCalibration> MetadataReader::read_calibration(const fb::ScoreCalibrationOptions& source,
                                                          const fb::TensorMetadata& tensor) {
    ScoreCalibration calibration;
    calibration.default_score = source.default_score();
    switch (source.score_transformation()) {
        case fb::ScoreTransformationType_LOG:
            calibration.transform = ScoreCalibration::Transform::log;
            break;
        case fb::ScoreTransformationType_INVERSE_LOGISTIC:
            calibration.transform = ScoreCalibration::Transform::inverse_logistic;
            break;
        default:
            break;
    }
    for (unsigned i = 0; i < length(tensor.associated_files()); ++i) {
        const fb::AssociatedFile& file = *tensor.associated_files()->Get(i);
        if (file.type() != fb::AssociatedFileType_TENSOR_AXIS_SCORE_CALIBRATION) continue;
        const std::vector<std::string> lines = parse_labels(TRY(read_file(file)));
        for (std::size_t l = 0; l < lines.size(); ++l)
            calibration.sigmoids.push_back(TRY(parse_sigmoid(lines[l], text(file.name()), l + 1)));
        return calibration;
    }
    return broken(place_, "score calibration without a file of its parameters");
}

Result<std::string> MetadataReader::read_file(const fb::AssociatedFile& file) {
    std::string content = TRY(files_.read(text(file.name())));
    // The same file may be named again and again.
    file_bytes_ += content.size();
    if (file_bytes_ > most_label_bytes)
        return broken(place_, "names more than 16 MB of label files");
    return content;
}

Result<Metadata> read_from(Bytes bytes, const Model& model) {
    // Behind a `Buffer` the bytes are only as aligned as its place in the file.
    std::vector<std::uint32_t> copy;
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(std::uint32_t) != 0) {
        copy.resize(bytes.size() / sizeof(std::uint32_t) + 1);
        std::memcpy(copy.data(), bytes.data(), bytes.size());
        bytes = {reinterpret_cast<const std::uint8_t*>(copy.data()), bytes.size()};
    }
    const Error unreadable = broken({}, "is not in the metadata format 'M001', or is cut off");
    if (bytes.size() < 8 || bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) return unreadable;
    flatbuffers::Verifier::Options options;
    options.max_tables = static_cast<flatbuffers::uoffset_t>(1000 + bytes.size() / 8);
    flatbuffers::Verifier verifier(bytes.data(), bytes.size(), options);
    if (!fb::VerifyModelMetadataBuffer(verifier)) return unreadable;
    ZipArchive files = TRY(ZipArchive::open(model.bytes()));
    return MetadataReader(bytes, std::move(files))
        .read(*fb::GetModelMetadata(bytes.data()), model.main());
}

}  // namespace

Result<Metadata> read_metadata(const Model& model) {
    for (const MetadataEntry& entry : model.metadata()) {
        if (entry.name != "TFLITE_METADATA") continue;
        Result<Metadata> metadata = read_from(entry.data, model);
        if (!metadata.ok())
            return with_context(metadata.take_error(), model.label() + ": TFLITE_METADATA");
        return metadata;
    }
    return Metadata{};
}

}  // namespace skiff::model
