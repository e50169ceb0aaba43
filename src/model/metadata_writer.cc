#include "model/metadata_writer.h"

#include "model/schema.h"

namespace skiff::model {

namespace {

namespace fb = tflite::metadata;
using Writer = flatbuffers::FlatBufferBuilder;
using Units = std::vector<flatbuffers::Offset<fb::ProcessUnit>>;

flatbuffers::Offset<fb::TensorMetadata> write_input(Writer& fbb, const MetadataSpec& spec) {
    flatbuffers::Offset<fb::Content> content = 0;
    if (spec.image_input)
        content = fb::CreateContent(fbb, fb::ContentProperties_ImageProperties,
                                    fb::CreateImageProperties(fbb, fb::ColorSpaceType_RGB).Union());
    Units units;
    if (!spec.mean.empty() || !spec.std.empty())
        units.push_back(fb::CreateProcessUnit(
            fbb, fb::ProcessUnitOptions_NormalizationOptions,
            fb::CreateNormalizationOptionsDirect(fbb, &spec.mean, &spec.std).Union()));
    return fb::CreateTensorMetadataDirect(fbb, spec.image_input ? "image" : "input", nullptr,
                                          content, &units);
}

flatbuffers::Offset<fb::TensorMetadata> write_output(Writer& fbb, const MetadataSpec& spec) {
    std::vector<flatbuffers::Offset<fb::AssociatedFile>> files;
    for (const LabelSpec& labels : spec.output_labels)
        files.push_back(fb::CreateAssociatedFileDirect(
            fbb, labels.file_name.c_str(), nullptr, fb::AssociatedFileType_TENSOR_AXIS_LABELS,
            labels.locale.empty() ? nullptr : labels.locale.c_str()));
    Units units;
    if (spec.score_threshold)
        units.push_back(fb::CreateProcessUnit(
            fbb, fb::ProcessUnitOptions_ScoreThresholdingOptions,
            fb::CreateScoreThresholdingOptions(fbb, *spec.score_threshold).Union()));
    return fb::CreateTensorMetadataDirect(fbb, "probability", nullptr, 0, &units, 0, &files);
}

}  // namespace

std::vector<std::uint8_t> write_image_metadata(const MetadataSpec& spec, std::size_t inputs,
                                               std::size_t outputs) {
    Writer fbb;
    std::vector<flatbuffers::Offset<fb::TensorMetadata>> input_metadata, output_metadata;
    for (std::size_t i = 0; i < inputs; ++i)
        input_metadata.push_back(i == 0 ? write_input(fbb, spec) : fb::CreateTensorMetadata(fbb));
    for (std::size_t i = 0; i < outputs; ++i)
        output_metadata.push_back(i == 0 ? write_output(fbb, spec) : fb::CreateTensorMetadata(fbb));
    const std::vector subgraphs{
        fb::CreateSubGraphMetadataDirect(fbb, nullptr, nullptr, &input_metadata, &output_metadata)};
    // The oldest reader that knows all of the fields above.
    constexpr const char* min_parser_version = "1.0.0";
    fb::FinishModelMetadataBuffer(
        fbb,
        fb::CreateModelMetadataDirect(fbb, spec.name.c_str(), spec.description.c_str(), nullptr,
                                      &subgraphs, nullptr, nullptr, nullptr, min_parser_version));
    return {fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize()};
}

std::vector<ZipFile> label_files(const MetadataSpec& spec) {
    std::vector<ZipFile> files;
    for (const LabelSpec& labels : spec.output_labels) {
        ZipFile file{labels.file_name, {}};
        for (const std::string& label : labels.labels) file.content += label + "\n";
        files.push_back(std::move(file));
    }
    return files;
}

}  // namespace skiff::model
