#include "model/metadata.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "model/schema.h"
#include "model/zip.h"
#include "tests/model/corpus.h"
#include "tests/model/samples.h"

namespace skiff::model {
namespace {

namespace fb = tflite::metadata;

TEST(Labels, Lines) {
    const struct {
        const char* text;
        std::vector<std::string> labels;
    } cases[] = {
        {"", {}},
        {"a", {"a"}},
        {"a\n", {"a"}},
        {"a\nb", {"a", "b"}},
        {"a\r\nb\r\n", {"a", "b"}},
        {"\n", {""}},
        {"a\n\nb\n", {"a", "", "b"}},
        {"\xEF\xBB\xBF"
         "a\n",
         {"a"}},
        {"tabby, tabby cat\n", {"tabby, tabby cat"}},
    };
    for (const auto& c : cases) EXPECT_EQ(parse_labels(c.text), c.labels) << c.text;
}

std::shared_ptr<const Model> load(const std::vector<std::uint8_t>& file) {
    auto model = Model::load_memory(file, "m");
    EXPECT_TRUE(model.ok()) << model.error().message;
    return std::move(model).value();
}

TEST(Metadata, WhatIsWrittenIsRead) {
    Builder builder = sample_builder();
    builder.set_image_metadata(sample_metadata());
    const auto file = builder.write().value();
    const auto metadata = read_metadata(*load(file));
    ASSERT_TRUE(metadata.ok()) << metadata.error().message;
    EXPECT_TRUE(metadata->present);
    EXPECT_EQ(metadata->name, "sample");
    EXPECT_EQ(metadata->description, "a sample");
    ASSERT_EQ(metadata->inputs.size(), 1u);
    EXPECT_TRUE(metadata->inputs[0].is_image);
    EXPECT_EQ(metadata->inputs[0].color_space, TensorMetadata::ColorSpace::rgb);
    ASSERT_TRUE(metadata->inputs[0].normalization.has_value());
    EXPECT_EQ(metadata->inputs[0].normalization->mean, std::vector<float>{127.5f});
    EXPECT_EQ(metadata->inputs[0].normalization->std, std::vector<float>{128});
    ASSERT_EQ(metadata->outputs.size(), 1u);
    EXPECT_EQ(metadata->outputs[0].score_threshold, 0.25f);
    ASSERT_EQ(metadata->outputs[0].axis_labels.size(), 2u);
    EXPECT_EQ(metadata->outputs[0].axis_labels[0].name, "labels.txt");
    EXPECT_EQ(metadata->outputs[0].axis_labels[0].locale, "");
    EXPECT_EQ(metadata->outputs[0].axis_labels[0].labels, (std::vector<std::string>{"cat", "dog"}));
    EXPECT_EQ(metadata->outputs[0].axis_labels[1].locale, "de");
    EXPECT_EQ(metadata->outputs[0].axis_labels[1].labels,
              (std::vector<std::string>{"Katze", "Hund"}));
}

TEST(Metadata, AbsentIsNotAnError) {
    const auto metadata = read_metadata(*load(sample_builder().write().value()));
    ASSERT_TRUE(metadata.ok());
    EXPECT_FALSE(metadata->present);
}

struct Described {
    std::vector<std::pair<std::string, fb::AssociatedFileType>> files;
    std::vector<std::pair<fb::ProcessUnitOptions, std::function<flatbuffers::Offset<void>(
                                                      flatbuffers::FlatBufferBuilder&)>>>
        units;
    std::size_t outputs = 1;
};

// A sample whose output is described by `described`, with `zip` behind it.
Result<Metadata> read_described(const Described& described, const std::vector<ZipFile>& zip) {
    flatbuffers::FlatBufferBuilder fbb;
    std::vector<flatbuffers::Offset<fb::AssociatedFile>> files;
    for (const auto& [name, type] : described.files)
        files.push_back(fb::CreateAssociatedFileDirect(fbb, name.c_str(), nullptr, type));
    std::vector<flatbuffers::Offset<fb::ProcessUnit>> units;
    for (const auto& [type, options] : described.units)
        units.push_back(fb::CreateProcessUnit(fbb, type, options(fbb)));
    std::vector<flatbuffers::Offset<fb::TensorMetadata>> outputs;
    for (std::size_t i = 0; i < described.outputs; ++i)
        outputs.push_back(
            fb::CreateTensorMetadataDirect(fbb, "probability", nullptr, 0, &units, 0, &files));
    const std::vector subgraphs{
        fb::CreateSubGraphMetadataDirect(fbb, nullptr, nullptr, nullptr, &outputs)};
    fb::FinishModelMetadataBuffer(
        fbb, fb::CreateModelMetadataDirect(fbb, "m", nullptr, "v1", &subgraphs));
    Builder builder = sample_builder();
    builder.add_metadata("TFLITE_METADATA",
                         {fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize()});
    std::vector<std::uint8_t> file = builder.write().value();
    const auto archive = write_zip(zip, file.size());
    file.insert(file.end(), archive.begin(), archive.end());
    return read_metadata(*load(file));
}

auto calibration(fb::ScoreTransformationType type, float default_score) {
    return [=](flatbuffers::FlatBufferBuilder& fbb) {
        return fb::CreateScoreCalibrationOptions(fbb, type, default_score).Union();
    };
}

TEST(Metadata, ScoreCalibration) {
    const Described described{
        .files = {{"c.txt", fb::AssociatedFileType_TENSOR_AXIS_SCORE_CALIBRATION}},
        .units = {{fb::ProcessUnitOptions_ScoreCalibrationOptions,
                   calibration(fb::ScoreTransformationType_INVERSE_LOGISTIC, 0.125f)}}};
    const auto metadata = read_described(described, {{"c.txt", "1,2,-3\n\n0.5, 1e1 ,0,0.25\n"}});
    ASSERT_TRUE(metadata.ok()) << metadata.error().message;
    EXPECT_EQ(metadata->version, "v1");
    ASSERT_TRUE(metadata->outputs[0].calibration.has_value());
    const ScoreCalibration& scores = *metadata->outputs[0].calibration;
    EXPECT_EQ(scores.transform, ScoreCalibration::Transform::inverse_logistic);
    EXPECT_EQ(scores.default_score, 0.125f);
    ASSERT_EQ(scores.sigmoids.size(), 3u);
    EXPECT_EQ(scores.sigmoids[0]->offset, -3);
    EXPECT_FALSE(scores.sigmoids[0]->min_score.has_value());
    EXPECT_FALSE(scores.sigmoids[1].has_value());
    EXPECT_EQ(scores.sigmoids[2]->slope, 10);
    EXPECT_EQ(scores.sigmoids[2]->min_score, 0.25f);
}

TEST(Metadata, Refused) {
    const auto normalization = [](std::vector<float> mean, std::vector<float> std) {
        return std::pair{fb::ProcessUnitOptions_NormalizationOptions,
                         std::function([=](flatbuffers::FlatBufferBuilder& fbb) {
                             return fb::CreateNormalizationOptionsDirect(fbb, &mean, &std).Union();
                         })};
    };
    const auto calibrated =
        std::pair{fb::ProcessUnitOptions_ScoreCalibrationOptions,
                  std::function(calibration(fb::ScoreTransformationType_IDENTITY, 0))};
    constexpr auto labels = fb::AssociatedFileType_TENSOR_AXIS_LABELS;
    constexpr auto scores = fb::AssociatedFileType_TENSOR_AXIS_SCORE_CALIBRATION;
    const struct {
        const char* message;
        Described described;
        std::vector<ZipFile> zip = {};
    } cases[] = {
        {"no file 'l.txt' in the zip behind the model", {.files = {{"l.txt", labels}}}},
        {"describes 2 outputs of a model that has 1", {.outputs = 2}},
        {"output 0 'probability': normalization has 2 mean and 1 std values",
         {.units = {normalization({0, 0}, {1})}}},
        {"a normalization std is 0.000000", {.units = {normalization({0}, {0})}}},
        {"a normalization mean is nan", {.units = {normalization({NAN}, {1})}}},
        {"score calibration without a file of its parameters", {.units = {calibrated}}},
        {"score calibration file 'c.txt', line 2: not 'scale,slope,offset' with a scale of at "
         "least 0",
         {.files = {{"c.txt", scores}}, .units = {calibrated}},
         {{"c.txt", "1,2,3\n1,2\n"}}},
        {"line 1: not",
         {.files = {{"c.txt", scores}}, .units = {calibrated}},
         {{"c.txt", "-1,2,3"}}},
        {"line 1: not",
         {.files = {{"c.txt", scores}}, .units = {calibrated}},
         {{"c.txt", "1,2,3,4,5"}}},
        {"line 1: not",
         {.files = {{"c.txt", scores}}, .units = {calibrated}},
         {{"c.txt", "1,2,x"}}},
        {"names more than 16 MB of label files",
         {.files = {{"l.txt", labels}, {"l.txt", labels}, {"l.txt", labels}}},
         {{"l.txt", std::string(6 << 20, 'x')}}},
    };
    for (const auto& c : cases) {
        const auto metadata = read_described(c.described, c.zip);
        ASSERT_FALSE(metadata.ok()) << c.message;
        const std::string& message = metadata.error().message;
        EXPECT_TRUE(message.starts_with("m: TFLITE_METADATA: ")) << message;
        EXPECT_NE(message.find(c.message), std::string::npos) << message;
        EXPECT_EQ(message.find('\n'), std::string::npos);
    }
}

TEST(Metadata, NotTheFormat) {
    Builder builder = sample_builder();
    builder.add_metadata("TFLITE_METADATA", {1, 2, 3});
    const auto metadata = read_metadata(*load(builder.write().value()));
    ASSERT_FALSE(metadata.ok());
    EXPECT_NE(metadata.error().message.find("is not in the metadata format 'M001'"),
              std::string::npos);
}

TEST(Metadata, Corpus) {
    SKIP_WITHOUT_CORPUS();
    const struct {
        const char* model;
        std::size_t labels;
        const char* first;
        const char* last;
        bool normalized;
    } cases[] = {
        {"crl_mobilenet_v1_0_25_128_quant", 1001, "background",
         "toilet tissue, toilet paper, bathroom tissue", true},
        {"tfs_mobilenet_v1_0_25_224_quant", 1001, "background", "toilet tissue", true},
        {"tfs_automl_labeler_model", 5, "daisy", "tulips", true},
    };
    for (const auto& c : cases) {
        const auto model = Model::load_file(corpus_model(c.model));
        ASSERT_TRUE(model.ok()) << model.error().message;
        const auto metadata = read_metadata(**model);
        ASSERT_TRUE(metadata.ok()) << metadata.error().message;
        ASSERT_EQ(metadata->outputs.size(), 1u) << c.model;
        ASSERT_FALSE(metadata->outputs[0].axis_labels.empty()) << c.model;
        const auto& labels = metadata->outputs[0].axis_labels[0].labels;
        ASSERT_EQ(labels.size(), c.labels) << c.model;
        EXPECT_EQ(labels.front(), c.first) << c.model;
        EXPECT_EQ(labels.back(), c.last) << c.model;
        EXPECT_TRUE(metadata->inputs[0].is_image) << c.model;
        EXPECT_EQ(metadata->inputs[0].normalization.has_value(), c.normalized) << c.model;
    }
}

}  // namespace
}  // namespace skiff::model
