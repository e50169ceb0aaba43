#include "tasks/image_labeler.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/tasks/fake_engine.h"
#include "tests/tasks/pictures.h"

namespace skiff::tasks {
namespace {

using Labels = std::vector<std::string>;

struct Scene {
    FakeEngine engine = {};
    model::Metadata metadata = {};
    LabelerOptions options = {};

    Result<std::unique_ptr<ImageLabeler>> create() const {
        return ImageLabeler::create(std::make_unique<FakeEngine>(engine), metadata, options);
    }
    std::vector<ImageLabel> process() {
        labeler = create().value();
        const Pixels p = gradient(6, 4);
        return labeler->process({p.rgb, PixelFormat::rgb, 6, 4}).value();
    }
    // "1:0.6 2:0.2"
    std::string found() {
        std::string text;
        for (const ImageLabel& l : process()) {
            char part[64];
            std::snprintf(part, sizeof part, "%s%d:%g", text.empty() ? "" : " ", l.index,
                          l.confidence);
            text += part;
        }
        return text;
    }
    std::string message() const {
        const auto result = create();
        return result.ok() ? "created" : result.error().message;
    }
    model::TensorMetadata& output() {
        metadata.present = true;
        if (metadata.outputs.empty()) metadata.outputs.emplace_back();
        return metadata.outputs[0];
    }
    std::unique_ptr<ImageLabeler> labeler = {};
};

TEST(ImageLabeler, SortsByConfidenceThenIndex) {
    Scene s;
    s.engine.answer = bytes_of<float>({0.25f, 0.5f, 0.25f, 0.5f});
    EXPECT_EQ(s.found(), "1:0.5 3:0.5 0:0.25 2:0.25");
}

TEST(ImageLabeler, OptionsDecide) {
    struct Case {
        std::optional<float> threshold, in_metadata;
        int count;
        const char* found;
    };
    const Case cases[] = {
        {std::nullopt, std::nullopt, 10, "1:0.6 2:0.2 0:0.1 3:0.1"},
        {std::nullopt, std::nullopt, 2, "1:0.6 2:0.2"},
        {std::nullopt, std::nullopt, 1, "1:0.6"},
        {std::nullopt, std::nullopt, 0, "1:0.6 2:0.2 0:0.1 3:0.1"},
        {std::nullopt, std::nullopt, -5, "1:0.6 2:0.2 0:0.1 3:0.1"},
        {std::nullopt, 0.2f, 10, "1:0.6 2:0.2"},  // at the threshold: kept
        {0.0f, 0.2f, 10, "1:0.6 2:0.2 0:0.1 3:0.1"},
        {0.6f, 0.2f, 10, "1:0.6"},
        {0.61f, std::nullopt, 10, ""},
        {1.0f, std::nullopt, 10, ""},
    };
    for (const Case& c : cases) {
        Scene s;
        s.options.confidence_threshold = c.threshold;
        s.options.max_result_count = c.count;
        if (c.in_metadata) s.output().score_threshold = c.in_metadata;
        EXPECT_EQ(s.found(), c.found);
    }
}

TEST(ImageLabeler, TenResultsUnlessTold) {
    Scene s;
    s.engine.outputs = {tensor_info(DType::float32, {1, 1, 1, 25})};
    s.engine.answer = bytes_of(std::vector<float>(25, 0.04f));
    EXPECT_EQ(s.process().size(), 10u);
    EXPECT_EQ(s.labeler->max_results(), 10u);
    s.options.max_result_count = 99;
    EXPECT_EQ(s.process().size(), 25u);
    EXPECT_EQ(s.labeler->max_results(), 25u);
}

TEST(ImageLabeler, LogitsBelowZeroNeedNoThresholdOfTheirOwn) {
    Scene s;  // without a threshold 0 holds: what is below is left out, as with ML Kit
    s.engine.answer = bytes_of<float>({-1, 2, NAN, 0});
    EXPECT_EQ(s.found(), "1:2 3:0");
}

TEST(ImageLabeler, QuantizedOutputs) {
    Scene s;
    s.engine.outputs = {tensor_info(DType::uint8, {1, 4}, {1.0f / 256, 0})};
    s.engine.answer = {0, 128, 64, 255};
    EXPECT_EQ(s.found(), "3:0.996094 1:0.5 2:0.25 0:0");
    s.engine.outputs = {tensor_info(DType::int8, {1, 4}, {1.0f / 256, -128})};
    s.engine.answer = {0x80, 0x00, 0x40, 0xFF};
    EXPECT_EQ(s.found(), "2:0.75 1:0.5 3:0.496094 0:0");
}

TEST(ImageLabeler, LabelsComeFromTheMetadataOrTheCaller) {
    Scene s;
    EXPECT_EQ(s.process()[0].text, "");
    EXPECT_EQ(s.process()[0].display_name, "");
    s.output().axis_labels = {{"l.txt", "", {"a", "b", "c", "d"}}};
    EXPECT_EQ(s.process()[0].text, "b");
    EXPECT_EQ(s.process()[0].display_name, "b");
    s.output().axis_labels.push_back({"l_de.txt", "de", {"Aa", "Be", "Ce", "De"}});
    s.output().axis_labels.push_back({"l_en.txt", "en", {"Ay", "Bee", "Cee", "Dee"}});
    EXPECT_EQ(s.process()[0].text, "b");
    EXPECT_EQ(s.process()[0].display_name, "Bee");
    s.options.locale = "de";
    EXPECT_EQ(s.process()[0].display_name, "Be");
    s.options.locale = "fr";
    EXPECT_EQ(s.process()[0].display_name, "b");
    s.options.labels = {"q", "r", "s", "t"};
    s.options.locale = "en";
    EXPECT_EQ(s.process()[0].text, "r");
    EXPECT_EQ(s.process()[0].display_name, "r");
}

TEST(ImageLabeler, LabelsMustFitTheOutput) {
    Scene s;
    s.output().axis_labels = {{"l.txt", "", {"a", "b", "c"}}};
    EXPECT_EQ(s.message(),
              "the labels have 3 lines, the model has 4 classes: give one label a line for every "
              "class, in "
              "the output's order");
    s.options.labels = Labels(5, "x");
    EXPECT_NE(s.message().find("labels have 5 lines"), std::string::npos);
    s.options.labels = Labels(4, "x");
    EXPECT_EQ(s.message(), "created");
    s.options.labels = {};
    s.output().axis_labels = {{"l.txt", "", Labels(4, "x")}, {"m.txt", "en", Labels(2, "y")}};
    EXPECT_NE(s.message().find("display names have 2 lines"), std::string::npos);
}

TEST(ImageLabeler, CalibrationComesBeforeTheThreshold) {
    Scene s;
    model::ScoreCalibration c;
    c.sigmoids.resize(4);
    c.sigmoids[2] = {1, 0, 0, std::nullopt};  // 0.5 whatever the score
    c.default_score = 0.0625f;
    s.output().calibration = c;
    s.options.confidence_threshold = 0.06f;
    EXPECT_EQ(s.found(), "2:0.5 0:0.0625 1:0.0625 3:0.0625");
    s.options.confidence_threshold = 0.3f;
    EXPECT_EQ(s.found(), "2:0.5");
}

TEST(ImageLabeler, CallersNormalizationWins) {
    Scene s;
    s.engine.inputs = {tensor_info(DType::float32, {1, 4, 6, 3})};
    EXPECT_NE(s.message().find("add NormalizationOptions"), std::string::npos);
    s.metadata.inputs.emplace_back();
    s.metadata.inputs[0].normalization = model::Normalization{{1, 2}, {1}};
    EXPECT_NE(s.message().find("2 means"), std::string::npos);
    s.options.normalization = model::Normalization{{0}, {1}};
    EXPECT_EQ(s.message(), "created");
}

TEST(ImageLabeler, RefusesWhatLabelsNoImages) {
    struct Case {
        std::vector<runtime::TensorInfo> outputs;
        const char* part;
    };
    const Case cases[] = {
        {{}, "1 inputs and 0 outputs"},
        {{tensor_info(DType::float32, {1, 7, 7, 4})},
         "output is float32[1,7,7,4], and [1,classes]"},
        {{tensor_info(DType::float32, {2, 4})}, "float32[2,4]"},
        {{tensor_info(DType::float32, {4})}, "float32[4]"},
        {{tensor_info(DType::float32, {1, 0})}, "float32[1,0]"},
        {{tensor_info(DType::int32, {1, 4})}, "float32, uint8 or int8 is needed"},
        {{tensor_info(DType::uint8, {1, 4})}, "lacks its quantization"},
    };
    for (const Case& c : cases) {
        Scene s;
        s.engine.outputs = c.outputs;
        EXPECT_NE(s.message().find(c.part), std::string::npos) << s.message();
    }
    Scene s;
    s.engine.inputs.push_back(s.engine.inputs[0]);
    EXPECT_NE(s.message().find("2 inputs and 1 outputs"), std::string::npos);
    for (const float threshold : {-0.1f, 1.1f, NAN}) {
        Scene t;
        t.options.confidence_threshold = threshold;
        EXPECT_NE(t.message().find("give 0 to 1"), std::string::npos);
    }
}

TEST(ImageLabeler, PassesOnWhatTheEngineAndTheImageSay) {
    Scene s;
    s.engine.prepare_result = error(Code::resource_exhausted, "no memory");
    EXPECT_EQ(s.message(), "no memory");
    s.engine.prepare_result = {};
    s.engine.invoke_result = error(Code::cancelled, "cancelled");
    const auto labeler = s.create().value();
    const Pixels p = gradient(2, 2);
    EXPECT_EQ(labeler->process({p.rgb, PixelFormat::rgb, 2, 2}).error().code, Code::cancelled);
    EXPECT_EQ(labeler->process({p.rgb, PixelFormat::rgb, 20, 2}).error().code,
              Code::invalid_argument);
}

}  // namespace
}  // namespace skiff::tasks
