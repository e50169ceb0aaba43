// Real photos through two MobileNets, against what the official library said of them (the corpus's
// golden_real). Skipped where the corpus is absent.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/files.h"
#include "base/hex.h"
#include "tasks/image_labeler.h"
#include "tests/tasks/pictures.h"

namespace skiff::tasks {
namespace {

std::string corpus() {
    const char* given = std::getenv("SKIFF_CORPUS");
    return given ? given : "../shared/corpus";
}

struct Photo {
    std::string model, name;
    int label;  // what it must be; -1: whatever the official library says
};

class Photos : public testing::TestWithParam<Photo> {
 protected:
    void SetUp() override {
        if (!file_exists(corpus() + "/models.tsv"))
            GTEST_SKIP() << "no corpus at " << corpus() << " (SKIFF_CORPUS)";
        const std::string golden =
            corpus() + "/golden_real/" + GetParam().model + "/" + GetParam().name;
        input_ = read_file(golden + "/input_0.bin").value();
        output_ = read_file(golden + "/output_0.bin").value();
        photo_ =
            read_file(corpus() + "/datasets/photos/test_data__" + GetParam().name + ".bmp").value();
        model_ =
            model::Model::load_file(corpus() + "/models/" + GetParam().model + ".tflite").value();
    }
    std::unique_ptr<runtime::Engine> engine() const {
        return runtime::create_engine("skiff", model_, {}).value();
    }
    int golden_label() const {
        const Bytes scores = as_bytes(output_);
        return static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
    }

    std::string input_, output_, photo_;
    std::shared_ptr<const model::Model> model_;
};

TEST_P(Photos, GoldenBytesInGiveGoldenBytesOut) {
    const auto e = engine();
    ASSERT_TRUE(e->prepare().ok());
    ASSERT_EQ(e->input(0).size(), input_.size());
    std::copy(input_.begin(), input_.end(), e->input(0).begin());
    ASSERT_TRUE(e->invoke().ok());
    const Bytes got = e->output(0), wanted = as_bytes(output_);
    ASSERT_EQ(got.size(), wanted.size());
    int differing = 0, largest = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        differing += got[i] != wanted[i];
        largest = std::max(largest, std::abs(got[i] - wanted[i]));
    }
    EXPECT_EQ(differing, 0) << "largest difference " << largest;
}

TEST_P(Photos, ThePhotoBecomesTheGoldenInput) {
    const auto writer = TensorWriter::create(engine()->input_info(0), std::nullopt);
    ASSERT_TRUE(writer.ok()) << writer.error().message;
    std::vector<std::uint8_t> tensor(input_.size());
    writer->write(load_pixels({as_bytes(photo_)}).value(), tensor);
    EXPECT_EQ(as_text(tensor), input_);
}

TEST_P(Photos, TheLabelIsThatOfTheOfficialLibrary) {
    const model::Metadata metadata = model::read_metadata(*model_).value();
    const auto labeler = ImageLabeler::create(engine(), metadata).value();
    const auto labels = labeler->process({as_bytes(photo_)}).value();
    ASSERT_EQ(labels.size(), 10u);
    EXPECT_EQ(labels[0].index, golden_label());
    if (GetParam().label >= 0) {
        EXPECT_EQ(labels[0].index, GetParam().label);
    }
    const auto index = static_cast<std::size_t>(labels[0].index);
    EXPECT_EQ(labels[0].text, metadata.outputs[0].axis_labels[0].labels[index]);
    EXPECT_EQ(labels[0].confidence, static_cast<float>(as_bytes(output_)[index]) / 256);
}

std::vector<Photo> all_photos() {
    std::vector<Photo> photos;
    for (const char* model : {"crl_mobilenet_v1_0_25_128_quant", "tfs_mobilenet_v1_0_25_224_quant"})
        for (const auto& [name, label] :
             {std::pair{"bird", 20}, {"cat", -1}, {"grace_hopper", -1}, {"sunflower", 986}})
            photos.push_back({model, name, label});
    return photos;
}
INSTANTIATE_TEST_SUITE_P(GoldenReal, Photos, testing::ValuesIn(all_photos()), [](const auto& info) {
    return info.param.model.substr(0, 3) + "_" + info.param.name;
});

}  // namespace
}  // namespace skiff::tasks
