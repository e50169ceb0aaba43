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

std::vector<Photo> all_photos() {
    std::vector<Photo> photos;
    for (const char* model : {"crl_mobilenet_v1_0_25_128_quant", "tfs_mobilenet_v1_0_25_224_quant"})
        for (const auto& [name, label] :
             {std::pair{"bird", 20}, {"cat", -1}, {"grace_hopper", -1}, {"sunflower", 986}})
            photos.push_back({model, name, label});
    return photos;
}

// A photo, its golden bytes, and the model.
struct Case {
    explicit Case(const Photo& photo) {
        const std::string golden = corpus() + "/golden_real/" + photo.model + "/" + photo.name;
        input = read_file(golden + "/input_0.bin").value();
        output = read_file(golden + "/output_0.bin").value();
        file = read_file(corpus() + "/datasets/photos/test_data__" + photo.name + ".bmp").value();
        model = model::Model::load_file(corpus() + "/models/" + photo.model + ".tflite").value();
    }
    std::unique_ptr<runtime::Engine> engine() const {
        return runtime::create_engine("skiff", model, {}).value();
    }
    int golden_label() const {
        const Bytes scores = as_bytes(output);
        return static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
    }
    std::string input, output, file;
    std::shared_ptr<const model::Model> model;
};

class Photos : public testing::Test {
 protected:
    void SetUp() override {
        if (!file_exists(corpus() + "/models.tsv"))
            GTEST_SKIP() << "no corpus at " << corpus() << " (SKIFF_CORPUS)";
    }
};

TEST_F(Photos, GoldenBytesInGiveGoldenBytesOut) {
    for (const Photo& photo : all_photos()) {
        const Case c(photo);
        const auto e = c.engine();
        ASSERT_TRUE(e->prepare().ok());
        ASSERT_EQ(e->input(0).size(), c.input.size());
        std::copy(c.input.begin(), c.input.end(), e->input(0).begin());
        ASSERT_TRUE(e->invoke().ok());
        const Bytes got = e->output(0), wanted = as_bytes(c.output);
        ASSERT_EQ(got.size(), wanted.size());
        int differing = 0, largest = 0;
        for (std::size_t i = 0; i < got.size(); ++i) {
            differing += got[i] != wanted[i];
            largest = std::max(largest, std::abs(got[i] - wanted[i]));
        }
        EXPECT_EQ(differing, 0) << photo.model << " " << photo.name << ", largest " << largest;
    }
}

TEST_F(Photos, BecomeTheGoldenInputByteForByte) {
    for (const Photo& photo : all_photos()) {
        const Case c(photo);
        const auto writer = TensorWriter::create(c.engine()->input_info(0), std::nullopt);
        ASSERT_TRUE(writer.ok()) << writer.error().message;
        std::vector<std::uint8_t> tensor(c.input.size());
        writer->write(load_pixels({as_bytes(c.file)}).value(), tensor);
        EXPECT_TRUE(as_text(tensor) == c.input) << photo.model << " " << photo.name;
    }
}

TEST_F(Photos, GetTheLabelOfTheOfficialLibrary) {
    for (const Photo& photo : all_photos()) {
        const Case c(photo);
        const model::Metadata metadata = model::read_metadata(*c.model).value();
        const auto labeler = ImageLabeler::create(c.engine(), metadata).value();
        const auto labels = labeler->process({as_bytes(c.file)}).value();
        ASSERT_EQ(labels.size(), 10u);
        EXPECT_EQ(labels[0].index, c.golden_label()) << photo.model << " " << photo.name;
        if (photo.label >= 0) {
            EXPECT_EQ(labels[0].index, photo.label);
        }
        const auto index = static_cast<std::size_t>(labels[0].index);
        EXPECT_EQ(labels[0].text, metadata.outputs[0].axis_labels[0].labels[index]);
        EXPECT_EQ(labels[0].confidence, static_cast<float>(as_bytes(c.output)[index]) / 256);
    }
}

}  // namespace
}  // namespace skiff::tasks
