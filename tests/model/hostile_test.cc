// Damaged files: load refuses or loads, and never reads out of bounds. Its worth is in the
// sanitizer builds.
#include <gtest/gtest.h>

#include <random>

#include "base/files.h"
#include "base/hex.h"
#include "tests/model/corpus.h"
#include "tests/model/samples.h"
#include "tests/model/touch.h"

namespace skiff::model {
namespace {

// Exactly as large as its bytes, so that reading one byte more is seen.
void load_exactly(Bytes bytes) {
    const std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), copy.get());
    load_and_touch({copy.get(), bytes.size()});
}

std::vector<std::uint8_t> sample_file() {
    Builder builder = sample_builder();
    builder.add_tensor({.name = "q",
                        .dtype = DType::int8,
                        .shape = {2, 2},
                        .scales = {0.5f, 0.25f},
                        .zero_points = {1, -1},
                        .axis = 1,
                        .data = {1, 2, 3, 4}});
    builder.set_image_metadata(sample_metadata());
    return builder.write().value();
}

TEST(Hostile, TruncatedAtEveryByte) {
    const auto file = sample_file();
    for (std::size_t size = 0; size < file.size(); ++size) load_exactly(Bytes(file).first(size));
}

TEST(Hostile, EveryByteInverted) {
    const auto file = sample_file();
    for (std::size_t i = 0; i < file.size(); ++i) {
        for (const int mask : {0xff, 0x01, 0x80}) {
            auto copy = file;
            copy[i] ^= static_cast<std::uint8_t>(mask);
            load_exactly(copy);
        }
    }
}

// Replaces four bytes by a value that tends to break things.
void damage(std::vector<std::uint8_t>& file, std::mt19937& random) {
    constexpr std::uint32_t nasty[] = {0,          1,          0xffffffff, 0x7fffffff,
                                       0x80000000, 0xfffffffe, 0x10000,    4};
    const std::size_t at = random() % (file.size() - 4);
    switch (random() % 3) {
        case 0:
            file[at] = static_cast<std::uint8_t>(random());
            break;
        case 1:
            file[at] ^= static_cast<std::uint8_t>(1u << (random() % 8));
            break;
        default:
            std::memcpy(&file[at & ~std::size_t{3}], &nasty[random() % std::size(nasty)], 4);
    }
}

TEST(Hostile, SampleDamagedAtRandom) {
    std::mt19937 random(1);
    const auto file = sample_file();
    for (int round = 0; round < 5000; ++round) {
        auto copy = file;
        for (unsigned hits = 1 + random() % 4; hits-- > 0;) damage(copy, random);
        load_exactly(copy);
    }
}

// Small models of every kind: control flow, sparsity, strings, signatures, metadata, stablehlo.
TEST(Hostile, CorpusDamagedAtRandom) {
    SKIP_WITHOUT_CORPUS();
    std::mt19937 random(2);
    int files = 0;
    for (const CorpusRow& row : corpus_rows()) {
        if (std::stoul(row.at("bytes")) > 60000 || std::stoul(row.at("bytes")) < 8) continue;
        const auto text = read_file(corpus_model(row.at("model"))).value();
        const std::vector<std::uint8_t> file(text.begin(), text.end());
        ++files;
        for (int round = 0; round < 20; ++round) {
            auto copy = file;
            for (unsigned hits = 1 + random() % 4; hits-- > 0;) damage(copy, random);
            load_exactly(copy);
        }
        load_exactly(Bytes(file).first(random() % file.size()));
    }
    EXPECT_GT(files, 150);
}

}  // namespace
}  // namespace skiff::model
