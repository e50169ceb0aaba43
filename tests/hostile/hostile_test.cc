// Damaged files of real models: 1,000 cut short, 10,000 with flipped bytes. Loading, reading the
// metadata and, where it is little work, computing must end with a result or an error; the
// sanitizers watch.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "base/files.h"
#include "base/hex.h"
#include "model/metadata.h"
#include "model/model.h"
#include "runtime/interpreter.h"
#include "runtime/model_cost.h"

namespace skiff {

namespace {

constexpr std::size_t largest_file_bytes = 400'000;
constexpr std::int64_t most_macs = 1'000'000;
constexpr std::size_t largest_tensor_elements = 1 << 20;

struct Outcome {
    int loaded = 0, prepared = 0, invoked = 0;
};

bool is_small(const model::Model& model) {
    if (runtime::subgraph_macs(model.main()) > most_macs || model.main().operators.size() > 500)
        return false;
    return std::ranges::all_of(model.main().tensors, [](const model::Tensor& tensor) {
        std::int64_t elements = 1;
        for (const std::int32_t dim : tensor.shape)
            if (__builtin_mul_overflow(elements, dim, &elements)) return false;
        return elements >= 0 && static_cast<std::size_t>(elements) <= largest_tensor_elements;
    });
}

void try_model(const std::vector<std::uint8_t>& bytes, Outcome& outcome) {
    const auto model = model::Model::load_memory(bytes);
    if (!model.ok()) {
        EXPECT_FALSE(model.error().message.empty());
        EXPECT_EQ(model.error().message.find('\n'), std::string::npos) << model.error().message;
        return;
    }
    ++outcome.loaded;
    (void)model::read_metadata(**model);
    if (!is_small(**model)) return;
    auto interpreter = runtime::Interpreter::create(*model);
    if (!interpreter.ok() || !(*interpreter)->prepare().ok()) return;
    ++outcome.prepared;
    if ((*interpreter)->memory().arena_bytes > (64u << 20)) return;
    for (std::size_t i = 0; i < (*interpreter)->input_count(); ++i) {
        const MutableBytes input = (*interpreter)->input(i);
        std::fill(input.begin(), input.end(), std::uint8_t{0x3f});
    }
    if ((*interpreter)->invoke().ok()) ++outcome.invoked;
}

class Hostile : public testing::Test {
 protected:
    void SetUp() override {
        const char* corpus = std::getenv("SKIFF_CORPUS");
        const std::string folder = std::string(corpus ? corpus : "../shared/corpus") + "/models/";
        const auto names = list_folder(folder);
        if (!names.ok()) GTEST_SKIP() << "there is no corpus at " << folder;
        for (const std::string& name : *names) {
            const std::string file = *read_file(folder + name);
            if (file.size() <= largest_file_bytes) files_.emplace_back(file.begin(), file.end());
        }
        ASSERT_GT(files_.size(), 100u);
    }
    std::vector<std::uint8_t> random_file() { return files_[random_() % files_.size()]; }
    // Bytes near the ends steer the reader more than those amid weights.
    std::size_t random_place(std::size_t size) {
        const std::size_t structure = std::min<std::size_t>(size, 4096);
        switch (random_() % 3) {
            case 0:
                return random_() % structure;
            case 1:
                return size - 1 - random_() % structure;
            default:
                return random_() % size;
        }
    }

    std::mt19937 random_{20261122};
    std::vector<std::vector<std::uint8_t>> files_;
};

}  // namespace

TEST_F(Hostile, truncations) {
    Outcome outcome;
    for (int i = 0; i < 1000; ++i) {
        std::vector<std::uint8_t> file = random_file();
        file.resize(random_place(file.size()));
        file.shrink_to_fit();  // the sanitizer sees the first byte behind
        try_model(file, outcome);
    }
    std::printf("1,000 truncations: %d still load, %d prepare, %d compute\n", outcome.loaded,
                outcome.prepared, outcome.invoked);
}

TEST_F(Hostile, flips) {
    Outcome outcome;
    for (int i = 0; i < 10000; ++i) {
        std::vector<std::uint8_t> file = random_file();
        const int flips = 1 + static_cast<int>(random_() % 4);
        for (int k = 0; k < flips; ++k)
            file[random_place(file.size())] ^= static_cast<std::uint8_t>(1 + random_() % 255);
        try_model(file, outcome);
    }
    std::printf("10,000 flips: %d still load, %d prepare, %d compute\n", outcome.loaded,
                outcome.prepared, outcome.invoked);
    EXPECT_GT(outcome.invoked, 500);  // else the test looks at nothing but refusals
}

}  // namespace skiff
