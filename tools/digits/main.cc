// digits-make FOLDER: trains both quality levels and writes FOLDER/*.tflite and
// FOLDER/images/*.png. The same bytes on every run and machine; a minute or two.
#include <cstdio>
#include <string>

#include "base/files.h"
#include "model/metadata.h"
#include "runtime/engine.h"
#include "tasks/image_labeler.h"
#include "tools/digits/pictures.h"
#include "tools/digits/train.h"
#include "tools/digits/write_model.h"
#include "tools/digits/write_png.h"

using namespace skiff;
using namespace skiff::digits;

namespace {

// Every set of pictures has a seed of its own, so none is in another.
constexpr std::uint64_t small_seed = 1, better_seed = 2, held_out_seed = 3, calibration_seed = 4,
                        picture_seed = 5;
constexpr int held_out = 4000, calibration = 500;

// Writes the net in float and int8.
Status write_models(const Net& net, const std::string& stem, const ModelText& text) {
    const auto ranges = calibrate(net, calibration, calibration_seed);
    TRY(write_file(stem + "_float.tflite", TRY(write_model(net, text))));
    TRY(write_file(stem + "_int8.tflite", TRY(write_model(net, text, ranges))));
    return {};
}

// Prints how many pictures that training never saw the file gets right: the table of
// examples/digits/README.md.
Status judge(const std::string& folder, const std::string& file) {
    const auto model = TRY(model::Model::load_file(folder + "/" + file));
    const model::Metadata metadata = TRY(model::read_metadata(*model));
    auto engine = TRY(runtime::create_engine("skiff", model, {}));
    const auto labeler = TRY(tasks::ImageLabeler::create(std::move(engine), metadata));
    Random random(held_out_seed);
    int right = 0;
    for (int i = 0; i < held_out; ++i) {
        const Sample sample = draw_any(random);
        const auto labels =
            TRY(labeler->process({sample.picture, tasks::PixelFormat::gray, side, side}));
        right += !labels.empty() && labels[0].index == sample.digit;
    }
    std::printf("| `%s` | %.1f %% |\n", file.c_str(), 100.0 * right / held_out);
    return {};
}

Status make(const std::string& folder) {
    TRY(make_folders(folder + "/images"));
    Random small_random(small_seed), better_random(better_seed);
    Net small = small_net(small_random), better = better_net(better_random);
    std::printf("training level 1\n");
    train(small, {60'000}, small_random);
    std::printf("training level 2\n");
    train(better, {100'000}, better_random);
    TRY(write_models(
        small, folder + "/digits_v1",
        {"Digits, level 1", "Drawn digits 0 to 9. Two dense layers: small, often wrong."}));
    TRY(write_models(better, folder + "/digits_v2",
                     {"Digits, level 2", "Drawn digits 0 to 9. A convolutional net: better."}));
    for (const TestPicture& p : choose_test_pictures(small, better, {5, 8}, picture_seed))
        TRY(write_file(folder + "/images/" + p.name + ".png", write_png(p.sample.picture)));
    for (const char* file : {"digits_v1_float.tflite", "digits_v1_int8.tflite",
                             "digits_v2_float.tflite", "digits_v2_int8.tflite"})
        TRY(judge(folder, file));
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: digits-make FOLDER\n");
        return 2;
    }
    if (const Status status = make(argv[1]); !status.ok()) {
        std::fprintf(stderr, "digits-make: %s\n", status.error().message.c_str());
        return 1;
    }
}
