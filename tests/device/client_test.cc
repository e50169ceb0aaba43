#include <sys/mount.h>

#include <algorithm>
#include <cstdio>

#include "device/store.h"
#include "tests/device/world.h"

namespace skiff::device::testing {
namespace {

TEST_F(World, bundled_model_works_without_anything) {
    reachable_ = false;
    const auto device = client();
    const auto digits = model(*device, "digits", free(bundled_file()));
    EXPECT_EQ(compute(*digits), 100);
    EXPECT_EQ(digits->status().source, ModelStatus::Source::bundled);
    EXPECT_EQ(digits->status().why, "digits (bundled) runs: no check has been made for digits yet");
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

// What is wrong with a store never takes a model away, and nothing of it is deleted.
TEST_F(World, a_store_that_is_none) {
    project_.publish("digits", {});
    ASSERT_TRUE(write_file(data_ + "/state.db", as_bytes(std::string(8192, 'x'))).ok());
    const auto device = client();
    const auto digits = model(*device, "digits", free(bundled_file()));
    EXPECT_EQ(compute(*digits), 100);
    const std::string why = digits->status().why;
    EXPECT_TRUE(why.starts_with("the store cannot be used: ")) << why;
    EXPECT_TRUE(why.ends_with(", digits (bundled) runs")) << why;
    EXPECT_EQ(device->sync(soon).error().code, Code::data_loss);
    EXPECT_EQ(digits->update({}).wait(soon).error().code, Code::data_loss);
    EXPECT_EQ(device->model("other", {}).error().code, Code::data_loss);
    EXPECT_EQ(compute(*digits), 100);
    EXPECT_EQ(read_file(data_ + "/state.db").value(), std::string(8192, 'x'));
}

TEST_F(World, a_store_of_a_newer_library) {
    {
        auto store = Store::open(data_).value();
        ASSERT_TRUE(
            store->write([](sqlite::Database& db) { return db.execute("PRAGMA user_version=99"); })
                .ok());
    }
    const auto device = client();
    const auto digits = model(*device, "digits", free(bundled_file()));
    EXPECT_EQ(compute(*digits), 100);
    EXPECT_NE(digits->status().why.find("newer skiff"), std::string::npos) << digits->status().why;
    EXPECT_EQ(device->sync(soon).error().code, Code::incompatible);
}

TEST_F(World, no_place_for_a_store) {
    ASSERT_TRUE(write_file(data_ + "/file", as_bytes("x")).ok());
    const auto device = client([&](ClientOptions& o) { o.data_dir = data_ + "/file/data"; });
    const auto digits = model(*device, "digits", free(bundled_file()));
    EXPECT_EQ(compute(*digits), 100);
    EXPECT_FALSE(digits->update({}).wait(soon).ok());
    EXPECT_FALSE(device->model("other", {}).ok());
}

// A store that can be read runs what is active in it. (An epoch that is a folder cannot be mapped.)
TEST_F(World, a_store_that_can_only_be_read) {
    project_.publish("digits", {});
    {
        const auto device = client();
        const auto digits = model(*device);
        ASSERT_TRUE(device->sync(soon).ok());
    }
    ASSERT_TRUE(remove_file(data_ + "/epoch").ok());
    ASSERT_TRUE(make_folders(data_ + "/epoch").ok());
    const auto device = client();
    const auto digits = model(*device);
    EXPECT_EQ(compute(*digits), 1);
    const std::string why = digits->status().why;
    EXPECT_TRUE(why.starts_with("the store cannot be used: ")) << why;
    EXPECT_TRUE(why.ends_with(", digits:1 runs")) << why;
    EXPECT_FALSE(device->sync(soon).ok());
}

TEST_F(World, a_full_disk) {
    const std::string disk = data_ + "/disk";
    ASSERT_TRUE(make_folders(disk).ok());
    if (::mount("none", disk.c_str(), "tmpfs", 0, "size=64k") != 0)
        GTEST_SKIP() << "no tmpfs may be mounted here";
    const auto in_disk = [&](ClientOptions& o) { o.data_dir = disk + "/data"; };
    for (const bool is_full : {false, true}) {  // room for the database alone; none
        if (is_full) (void)!system(("dd if=/dev/zero of=" + disk + "/big 2>/dev/null").c_str());
        const auto device = client(in_disk);
        const auto digits = model(*device, "digits", free(bundled_file()));
        EXPECT_EQ(compute(*digits), 100);
        digits->record("tap", 1);
    }
    EXPECT_EQ(::umount2(disk.c_str(), MNT_DETACH), 0);
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
