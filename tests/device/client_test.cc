#include <algorithm>
#include <cstdio>

#include "tests/device/world.h"

namespace skiff::device::testing {
namespace {

TEST_F(World, bundled_model_works_without_anything) {
    reachable_ = false;
    const auto device = client();
    const auto digits = model(*device, "digits", free(bundled_file()));
    EXPECT_EQ(compute(*digits), 100);
    EXPECT_EQ(digits->status().source, ModelStatus::Source::bundled);
    EXPECT_EQ(digits->status().why,
              "digits (bundled) runs: no check has found signed metadata of digits yet");
    EXPECT_EQ(device->sync(soon).error().code, Code::no_network);
    EXPECT_EQ(compute(*digits), 100);
}

TEST_F(World, update_from_a_served_folder) {
    project_.publish("digits", {.number = 1, .files = {{"labels.txt", "zero\none\n"}}});
    const auto device = client();
    const auto digits = model(*device, "digits", free(bundled_file()));
    EXPECT_EQ(compute(*digits), 100);
    const Status synced = device->sync(soon);
    ASSERT_TRUE(synced.ok()) << synced.error().message;
    EXPECT_EQ(compute(*digits), 1);
    EXPECT_EQ(digits->status().why, "digits:1 runs: it is the default of the rules");
    const auto file = digits->file();
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_TRUE(file->path.ends_with("/1.tflite")) << file->path;
    ASSERT_EQ(file->files.size(), 1u);
    EXPECT_EQ(read_file(file->files[0].second).value(), "zero\none\n");

    project_.publish("digits", {.number = 2});
    const Status done = digits->update({}).wait(soon);
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(compute(*digits), 2);
    // Another process starts with what is installed.
    reachable_ = false;
    const auto again = client();
    EXPECT_EQ(compute(*model(*again)), 2);
}

// An interpreter of a model while nothing changes: a look at the epoch, and one from the pool.
TEST_F(World, borrowing_is_cheap) {
    const auto device = client();
    const auto digits = model(*device, "digits", free(bundled_file()));
    compute(*digits);
    std::vector<double> ns;
    for (int round = 0; round < 51; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < 1000; ++i) ASSERT_TRUE(digits->interpreter().ok());
        ns.push_back(
            std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin)
                .count() /
            1000);
    }
    std::nth_element(ns.begin(), ns.begin() + 25, ns.end());
    std::printf("an interpreter of a model and its return: %.0f ns (median)\n", ns[25]);
    EXPECT_LT(ns[25], 5'000);
}

}  // namespace
}  // namespace skiff::device::testing
