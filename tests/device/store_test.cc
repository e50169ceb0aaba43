// The store itself: leases, collection, many processes, versions of its schema.
#include "device/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/hex.h"
#include "base/sha256.h"
#include "device/store_files.h"
#include "tests/device/world.h"

namespace skiff::device::testing {
namespace {

class Stored : public World {
 protected:
    Stored() : store_(Store::open(data_).value()), files_(data_) {}

    InstalledVersion install(std::uint32_t number, const std::string& contents,
                             const std::string& beside = {}) {
        InstalledVersion version{number, sha256_hex(as_bytes(contents))};
        version.files = {{std::to_string(number) + ".bin", version.sha256}};
        EXPECT_TRUE(write_file_durably(files_.blob(version.sha256), as_bytes(contents)).ok());
        if (!beside.empty()) {
            version.files.push_back({"beside.txt", sha256_hex(as_bytes(beside))});
            EXPECT_TRUE(
                write_file_durably(files_.blob(version.files[1].sha256), as_bytes(beside)).ok());
        }
        EXPECT_TRUE(files_.link("m", version).ok());
        EXPECT_TRUE(store_->activate("m", version).ok());
        return version;
    }
    void remove(std::uint32_t number) {
        EXPECT_TRUE(store_->uninstall("m", number).ok());
        EXPECT_TRUE(files_.collect(*store_, {}).ok());
    }
    // In another process, which ends with its exit code.
    static int in_child(const std::function<int()>& work) {
        const pid_t child = ::fork();
        if (child == 0) ::_exit(work());
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    std::unique_ptr<Store> store_;
    StoreFiles files_;
};

TEST_F(Stored, leased_files_stay) {
    const InstalledVersion version = install(1, "one", "more");
    const std::string path = files_.path("m", version, 0), beside = files_.path("m", version, 1);
    {
        const auto lease = files_.lease("m", version);
        ASSERT_TRUE(lease.ok());
        remove(1);
        EXPECT_EQ(read_file(path).value(), "one");
        EXPECT_EQ(read_file(beside).value(), "more");
        EXPECT_FALSE(file_exists(files_.blob(version.sha256)));  // only the path is promised
    }
    EXPECT_TRUE(files_.collect(*store_, {}).ok());
    EXPECT_FALSE(file_exists(path));
    EXPECT_FALSE(file_exists(files_.version_folder("m", version)));
    EXPECT_EQ(files_.lease("m", version).error().code, Code::not_found);
}

TEST_F(Stored, leases_count_in_other_processes) {
    const InstalledVersion version = install(1, "one");
    const std::string path = files_.path("m", version, 0);
    const auto lease = files_.lease("m", version);
    ASSERT_TRUE(lease.ok());
    EXPECT_EQ(in_child([&] {
                  const auto store = Store::open(data_);
                  const StoreFiles files(data_);
                  if (!store.ok() || !(*store)->uninstall("m", 1).ok()) return 1;
                  return files.collect(**store, {}).ok() ? 0 : 2;
              }),
              0);
    EXPECT_EQ(read_file(path).value(), "one");
}

// Who leases while others collect gets a path that is there, or is told to look again.
TEST_F(Stored, leases_and_collection_race) {
    std::atomic<bool> ends{false};
    std::atomic<int> held{0};
    const InstalledVersion version = install(1, "one");
    std::thread reader([&] {
        while (!ends) {
            const auto lease = files_.lease("m", version);
            if (!lease.ok()) {
                EXPECT_EQ(lease.error().code, Code::not_found) << lease.error().message;
                continue;
            }
            std::this_thread::yield();
            EXPECT_EQ(read_file(files_.path("m", version, 0)).value(), "one");
            ++held;
        }
    });
    for (int i = 0; i < 100; ++i) {
        remove(1);
        install(1, "one");
    }
    while (held == 0) std::this_thread::yield();
    ends = true;
    reader.join();
}

// Who waited for a lock that was replaced meanwhile holds nothing.
TEST_F(Stored, a_lease_is_on_what_the_path_names_now) {
    const InstalledVersion version = install(1, "one");
    const std::string lock = files_.version_folder("m", version) + "/.lock";
    const int collector = ::open(lock.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(::flock(collector, LOCK_EX), 0);
    Code code = Code::ok;
    std::thread reader([&] {
        const auto lease = files_.lease("m", version);
        code = lease.ok() ? Code::ok : lease.error().code;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ASSERT_TRUE(write_file(lock + ".new", {}).ok());
    ASSERT_EQ(::rename((lock + ".new").c_str(), lock.c_str()), 0);
    ::close(collector);
    reader.join();
    EXPECT_EQ(code, Code::not_found);
    EXPECT_TRUE(files_.lease("m", version).ok());
}

TEST_F(Stored, what_a_crash_left_is_collected) {
    const InstalledVersion version = install(1, "one");
    ASSERT_TRUE(make_folders(data_ + "/versions/m/9-abc").ok());
    ASSERT_TRUE(write_file(data_ + "/versions/m/9-abc/9.bin", {}).ok());
    ASSERT_TRUE(make_folders(data_ + "/versions/gone/1-abc").ok());
    ASSERT_TRUE(write_file(files_.blob("feed"), {}).ok());
    ASSERT_TRUE(write_file(files_.blob("beef") + ".part", {}).ok());
    ASSERT_TRUE(files_.collect(*store_, {"beef"}).ok());
    EXPECT_EQ(list_folder(data_ + "/versions").value(), std::vector<std::string>{"m"});
    EXPECT_EQ(list_folder(data_ + "/versions/m")->size(), 1u);
    EXPECT_EQ(list_folder(data_ + "/blobs/sha256")->size(), 2u);
    EXPECT_TRUE(files_.lease("m", version).ok());
}

TEST_F(Stored, other_processes_see_changes_by_the_epoch) {
    const std::uint64_t before = store_->epoch().now();
    EXPECT_EQ(in_child([&] {
                  const auto store = Store::open(data_);
                  return store.ok() && (*store)->mark_bad("m", "hash", "no good").ok() ? 0 : 1;
              }),
              0);
    EXPECT_GT(store_->epoch().now(), before);
    EXPECT_EQ(store_->read("m")->bad.at("hash"), "no good");
    // What nobody looks at does not make anybody look.
    const std::uint64_t now = store_->epoch().now();
    ASSERT_TRUE(store_->set_fact("root_probed_s", "7").ok());
    EXPECT_EQ(store_->epoch().now(), now);
}

// A process that dies between its commit and the epoch: the next one makes up for it.
TEST_F(Stored, a_change_without_its_epoch_is_published_later) {
    const std::uint64_t before = store_->epoch().now();
    ASSERT_TRUE(store_
                    ->write([](sqlite::Database& db) {
                        return db.execute(
                            "UPDATE facts SET value = value + 1 WHERE name = 'changes'");
                    })
                    .ok());
    EXPECT_EQ(store_->epoch().now(), before);
    ASSERT_TRUE(Store::open(data_).ok());
    EXPECT_EQ(store_->epoch().now(), before + 1);
}

TEST_F(Stored, one_updater_at_a_time) {
    auto lock = store_->update_lock();
    ASSERT_TRUE(lock.ok());
    EXPECT_EQ(in_child([&] {
                  const auto store = Store::open(data_);
                  return store.ok() && (*store)->update_lock().ok() ? 1 : 0;
              }),
              0);
    const auto other = Store::open(data_).value();
    EXPECT_EQ(other->update_lock().error().code, Code::unavailable);
    *lock = nullptr;
    EXPECT_TRUE(other->update_lock().ok());
}

TEST_F(Stored, many_processes_begin_at_once) {
    const std::string fresh = data_ + "/fresh";
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
        const pid_t child = ::fork();
        if (child == 0) {
            const auto store = Store::open(fresh);
            ::_exit(store.ok() && (*store)->ask_for("m" + std::to_string(i)).ok() ? 0 : 1);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
    }
    const auto store = Store::open(fresh).value();
    EXPECT_EQ(store->models()->size(), 8u);
    EXPECT_EQ(store->installation_id().size(), 36u);
    EXPECT_EQ(Store::open(fresh).value()->installation_id(), store->installation_id());
}

TEST_F(Stored, newer_and_damaged_stores_are_refused) {
    store_.reset();
    {
        auto db = sqlite::Database::open(data_ + "/state.db", {}).take_error();
        EXPECT_EQ(db.code, Code::incompatible);
    }
    ASSERT_TRUE(write_file(data_ + "/state.db", as_bytes(std::string(8192, 'x'))).ok());
    EXPECT_EQ(Store::open(data_).error().code, Code::data_loss);
    store_ = Store::open(data_ + "/other").value();
    ASSERT_TRUE(
        store_->write([](sqlite::Database& db) { return db.execute("PRAGMA user_version=99"); })
            .ok());
    EXPECT_EQ(Store::open(data_ + "/other").error().code, Code::incompatible);
}

TEST_F(Stored, active_and_previous) {
    install(1, "one");
    install(2, "two");
    EXPECT_EQ(store_->read("m")->active, 2u);
    EXPECT_EQ(store_->read("m")->previous, 1u);
    ASSERT_TRUE(store_->switch_to("m", 1).ok());
    EXPECT_EQ(store_->read("m")->active, 1u);
    EXPECT_EQ(store_->read("m")->previous, 2u);
    ASSERT_TRUE(store_->switch_to("m", 1).ok());  // again: the previous one stays
    EXPECT_EQ(store_->read("m")->previous, 2u);
    ASSERT_TRUE(store_->uninstall("m", 2).ok());
    EXPECT_EQ(store_->read("m")->previous, 0u);
    ASSERT_TRUE(store_->forget("m").ok());
    EXPECT_TRUE(store_->read("m")->installed.empty());
    EXPECT_TRUE(store_->models()->empty());
}

TEST_F(Stored, bad_versions_of_an_older_runtime_are_tried_again) {
    ASSERT_TRUE(store_->mark_bad("m", "hash", "does not load").ok());
    ASSERT_TRUE(store_
                    ->write([](sqlite::Database& db) {
                        return db.execute("UPDATE bad SET runtime_level = 0");
                    })
                    .ok());
    EXPECT_TRUE(store_->read("m")->bad.empty());
}

}  // namespace
}  // namespace skiff::device::testing
