// digits-make FOLDER: trains both quality levels and writes FOLDER/*.tflite and
// FOLDER/images/*.png. The same bytes on every run and machine; a minute or two.
#include <cstdio>
#include <string>

#include "base/files.h"
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

Status write_models(const Net& net, const std::string& folder, const std::string& level,
                    const std::string& kind) {
    const ModelText text{"Digits, level " + level,
                         "Handwritten digits 0 to 9, dark on bright or bright on dark. " + kind};
    const auto ranges = calibrate(net, calibration, calibration_seed);
    const std::string stem = folder + "/digits_v" + level;
    TRY(write_file(stem + "_float.tflite", TRY(write_model(net, text))));
    TRY(write_file(stem + "_int8.tflite", TRY(write_model(net, text, ranges))));
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
    std::printf("right of %d held-out pictures: level 1 %.1f %%, level 2 %.1f %%\n", held_out,
                100 * accuracy(small, held_out, held_out_seed),
                100 * accuracy(better, held_out, held_out_seed));
    TRY(write_models(small, folder, "1", "Two dense layers: small, and often wrong."));
    TRY(write_models(better, folder, "2", "A convolutional net: better."));
    for (const TestPicture& p : choose_test_pictures(small, better, {5, 8}, picture_seed))
        TRY(write_file(folder + "/images/" + p.name + ".png", write_png(p.sample.picture)));
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
