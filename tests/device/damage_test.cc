// What a disk, or a hand, did to a store: devices bring themselves back.
#include <filesystem>

#include "device/store.h"
#include "tests/device/world.h"

namespace skiff::device::testing {
namespace {

class Damaged : public World {
 protected:
    void SetUp() override {
        project_.publish("digits", {});
        const auto device = client();
        const auto digits = model(*device);
        ASSERT_TRUE(device->sync(soon).ok());
        ASSERT_EQ(compute(*digits), 1);
    }
    void sql(const char* text) {
        const auto store = Store::open(data_).value();
        ASSERT_TRUE(store->write([&](sqlite::Database& db) { return db.execute(text); }).ok());
    }
    // Whatever the store is like: an app opens it, updates, and runs what is published, in the same
    // process.
    void expect_mended(const std::string& what) {
        SCOPED_TRACE(what);
        const auto device = client();
        const auto digits = model(*device, "digits", free(bundled_file()));
        (void)compute(*digits);
        const Status synced = device->sync(soon);
        EXPECT_TRUE(synced.ok()) << synced.error().message;
        EXPECT_EQ(digits->status().why, "digits:1 runs: it is the default of the rules");
        EXPECT_EQ(compute(*digits), 1);
        EXPECT_EQ(device->downloaded_models().size(), 1u);
    }
};

TEST_F(Damaged, rows_are_brought_again) {
    for (const char* text :
         {"UPDATE installed SET files = 'xx'", "UPDATE installed SET files = '[]'",
          "UPDATE models SET catalog = '{xx'", "UPDATE models SET ruleset = '{xx'",
          "UPDATE models SET active = 99, previous = 98", "DELETE FROM installed",
          "DELETE FROM models", "DELETE FROM facts"}) {
        sql(text);
        expect_mended(text);
    }
}

// The epoch of a database that is gone must not hide the changes of the one that is there.
TEST_F(Damaged, a_database_that_was_lost_begins_anew) {
    project_.publish("digits", {.number = 2});
    ASSERT_TRUE(client()->sync(soon).ok());
    project_.set_default("digits", 1);
    for (const char* name : {"/state.db", "/state.db-wal", "/state.db-shm"})
        std::filesystem::remove(data_ + name);
    expect_mended("no database");
}

TEST_F(Damaged, an_epoch_of_another_time_is_turned_back) {
    std::uint64_t ahead = 1'000'000;
    ASSERT_TRUE(write_file(data_ + "/epoch", {reinterpret_cast<std::uint8_t*>(&ahead), 8}).ok());
    std::filesystem::resize_file(data_ + "/epoch", 4096);
    const auto device = client();
    const auto digits = model(*device);
    ASSERT_EQ(compute(*digits), 1);
    project_.publish("digits", {.number = 2});
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(compute(*digits), 2);
}

}  // namespace
}  // namespace skiff::device::testing
