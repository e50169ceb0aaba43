// The steps of an update, and what stops it.
#include <atomic>
#include <fstream>
#include <thread>

#include "base/hex.h"
#include "base/sha256.h"
#include "device/store.h"
#include "device/store_files.h"
#include "device/trial_mark.h"
#include "tests/device/world.h"

namespace skiff::device::testing {
namespace {

using Source = ModelStatus::Source;

class Updating : public World {
 protected:
    // A device that runs digits:1.
    void SetUp() override {
        project_.publish("digits", {});
        device_ = client();
        digits_ = model(*device_, "digits", free(bundled_file()));
        ASSERT_TRUE(device_->sync(soon).ok());
        ASSERT_EQ(compute(*digits_), 1);
        asked();
    }
    // The target's requests since the last call.
    int fetched() {
        int count = 0;
        for (const std::string& url : asked()) count += url.starts_with("/targets/models/");
        return count;
    }
    static Code code_of(const Status& status) {
        return status.ok() ? Code::ok : status.error().code;
    }
    std::shared_ptr<Client> device_;
    std::shared_ptr<Model> digits_;
};

TEST_F(Updating, undo_costs_no_byte) {
    project_.publish("digits", {.number = 2});
    ASSERT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 2);
    EXPECT_EQ(fetched(), 1);
    project_.set_default("digits", 1);
    ASSERT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 1);
    EXPECT_EQ(fetched(), 0);
    EXPECT_EQ(digits_->status().source, Source::active);
    project_.set_default("digits", 2);
    ASSERT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 2);
    EXPECT_EQ(fetched(), 0);
}

TEST_F(Updating, a_borrowed_interpreter_keeps_its_version) {
    auto engine = digits_->interpreter().value();
    EXPECT_FALSE(engine->stale());
    project_.publish("digits", {.number = 2});
    ASSERT_TRUE(device_->sync(soon).ok());
    EXPECT_TRUE(engine->stale());
    EXPECT_EQ(engine->version().number, 1u);
    EXPECT_TRUE(engine->invoke().ok());
    EXPECT_EQ(compute(*digits_), 2);
}

TEST_F(Updating, metered_network_keeps_it_waiting) {
    network_->set(true, true);
    const auto strict = client();
    const auto digits = model(*strict, "digits", {});  // wifi, as usual
    project_.publish("digits", {.number = 2});
    const Status synced = strict->sync(soon);
    EXPECT_EQ(code_of(synced), Code::conditions_unmet);
    EXPECT_TRUE(synced.error().retry);
    const ModelStatus status = digits->status();
    EXPECT_EQ(status.why,
              "digits:2 waits for wifi: this network is metered (script), digits:1 runs");
    ASSERT_TRUE(status.waiting);
    EXPECT_EQ(status.waiting->number, 2u);
    EXPECT_EQ(status.running->number, 1u);
    EXPECT_EQ(fetched(), 0);
    network_->set(true, false);
    EXPECT_TRUE(strict->sync(soon).ok());
    EXPECT_EQ(compute(*digits), 2);
}

TEST_F(Updating, conditions_are_asked_again_until_the_deadline) {
    project_.publish("digits", {.number = 2});
    power_->set(false, 50, true);
    DownloadConditions conditions{.charging = true, .deadline = std::chrono::seconds(600)};
    Download download = digits_->update(conditions);
    EXPECT_EQ(code_of(download.wait(std::chrono::milliseconds(700))), Code::deadline_exceeded);
    EXPECT_EQ(download.progress().state, Progress::State::waiting);
    EXPECT_EQ(download.progress().why, "digits:2 waits for a charger: on battery, 50 % (script)");
    power_->set(true, 50, true);
    EXPECT_TRUE(download.wait(soon).ok());
    EXPECT_EQ(compute(*digits_), 2);

    project_.publish("digits", {.number = 3});
    power_->set(false, 50, true);
    download = digits_->update(conditions);
    EXPECT_EQ(code_of(download.wait(std::chrono::milliseconds(300))), Code::deadline_exceeded);
    project_.clock->advance_ms(601'000);
    EXPECT_EQ(code_of(download.wait(soon)), Code::conditions_unmet);
    EXPECT_TRUE(download.done());
    EXPECT_EQ(download.progress().state, Progress::State::failed);
}

TEST_F(Updating, cancel_and_destruction_end_a_wait) {
    project_.publish("digits", {.number = 2});
    network_->set(false, false);
    Download download = digits_->update({});
    EXPECT_EQ(code_of(download.wait(std::chrono::milliseconds(100))), Code::deadline_exceeded);
    EXPECT_TRUE(download.progress().why.starts_with("waits for a network: offline"))
        << download.progress().why;
    download.cancel();
    EXPECT_EQ(code_of(download.wait(soon)), Code::cancelled);
    download = digits_->update({});
    device_.reset();
    EXPECT_TRUE(download.done());
    EXPECT_EQ(code_of(download.wait(soon)), Code::cancelled);
    EXPECT_EQ(compute(*digits_), 1);  // the model goes on without its client
    EXPECT_EQ(code_of(digits_->update({}).wait(soon)), Code::cancelled);
}

TEST_F(Updating, forged_bytes_are_refused) {
    project_.publish("digits", {.number = 2});
    const std::string file = project_.file_of("models/digits/2.tflite");
    const std::string right = read_file(file).value();
    std::string forged = right;
    forged[forged.size() / 2] ^= 1;
    ASSERT_TRUE(write_file(file, as_bytes(forged)).ok());
    EXPECT_EQ(code_of(device_->sync(soon)), Code::hash_mismatch);
    EXPECT_EQ(compute(*digits_), 1);
    EXPECT_TRUE(digits_->status().why.starts_with("digits:2: could not be fetched: "))
        << digits_->status().why;
    // Not held against the version: the server may be mended.
    ASSERT_TRUE(write_file(file, as_bytes(right)).ok());
    EXPECT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 2);
}

TEST_F(Updating, smoke_test_decides) {
    project_.publish("digits", {.number = 2, .smoke_digest = std::string(64, '0')});
    const Status synced = device_->sync(soon);
    EXPECT_EQ(code_of(synced), Code::incompatible);
    EXPECT_EQ(digits_->status().why, "digits:2 failed its smoke test, digits:1 runs");
    EXPECT_EQ(compute(*digits_), 1);
    EXPECT_EQ(fetched(), 1);
    // Remembered, and not fetched again.
    EXPECT_EQ(code_of(device_->sync(soon)), Code::incompatible);
    EXPECT_EQ(code_of(digits_->update({}).wait(soon)), Code::incompatible);
    EXPECT_EQ(fetched(), 0);
    project_.publish("digits", {.number = 3});
    EXPECT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 3);
}

TEST_F(Updating, what_is_no_model_is_refused) {
    project_.publish("digits", {.number = 2, .bytes = "no flatbuffer"});
    EXPECT_EQ(code_of(device_->sync(soon)), Code::incompatible);
    EXPECT_TRUE(digits_->status().why.starts_with("digits:2 does not load: "))
        << digits_->status().why;
    EXPECT_EQ(compute(*digits_), 1);
}

TEST_F(Updating, another_interface_is_not_fetched) {
    project_.publish("digits", {.number = 2, .bytes = multiplier(2, 3)});
    EXPECT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(digits_->status().why,
              "digits:2 has other inputs or outputs than this app uses, digits:1 runs");
    EXPECT_EQ(fetched(), 0);
    // Without a signature in the record it is found out by trying, and not switched to.
    project_.publish("digits", {.number = 3, .bytes = multiplier(3, 3), .with_signature = false});
    EXPECT_EQ(code_of(device_->sync(soon)), Code::incompatible);
    EXPECT_EQ(compute(*digits_), 1);
}

TEST_F(Updating, opaque_files_are_taken_by_their_hash) {
    project_.publish("digits", {.number = 2, .bytes = "for another runtime", .extension = ".bin"});
    // An app that brings a .tflite keeps what it can run; one that only wants files gets them.
    EXPECT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 1);
    EXPECT_EQ(fetched(), 0);
    device_ = client();
    digits_ = model(*device_);
    EXPECT_TRUE(device_->sync(soon).ok());
    const auto file = digits_->file();
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE(file->path.ends_with("/2.bin"));
    EXPECT_EQ(read_file(file->path).value(), "for another runtime");
    // Who computes goes on with the one before, and says so.
    EXPECT_EQ(compute(*digits_), 1);
    EXPECT_EQ(digits_->status().running->number, 2u);
    EXPECT_EQ(digits_->status().why,
              "digits:2 runs: it is the default of the rules; it is no .tflite file, so "
              "interpreter() runs digits:1");
    EXPECT_EQ(digits_->assignment().version.number, 1u);
    project_.publish("digits", {.number = 3, .bytes = "another", .extension = ".bin"});
    EXPECT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(digits_->interpreter().error().code, Code::unimplemented);
    EXPECT_EQ(digits_->interpreter().error().message,
              "digits:3 is no .tflite file: use its path, from file(), or bundle a .tflite model");
    EXPECT_EQ(digits_->status().why, "digits:3 runs: it is the default of the rules");
}

TEST_F(Updating, builds_for_device_classes) {
    project_.publish("digits", {.number = 2, .builds = {{"npu", multiplier(200)}}});
    ASSERT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 2);
    device_->set_attributes({{"device_class", "npu"}});
    EXPECT_EQ(compute(*digits_), 1);  // what it has, until the build is here
    ASSERT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 200);
}

TEST_F(Updating, revoke_and_floor_act_at_the_next_check) {
    project_.publish("digits", {.number = 2});
    ASSERT_TRUE(device_->sync(soon).ok());
    project_.remove_version("digits", 2);
    project_.model_custom("digits", {{"revoked", {{"2", "wrong labels"}}}});
    ASSERT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(digits_->status().why, "digits:2 was revoked: wrong labels, digits:1 runs");
    EXPECT_EQ(compute(*digits_), 1);
    project_.model_custom("digits", {{"minimum_version", 3}});
    ASSERT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 100);
    EXPECT_EQ(digits_->status().source, Source::bundled);
}

// Once or twice may be chance: a device that is switched off just then.
TEST_F(Updating, deadly_trials) {
    const auto die_in_a_trial = [&](const std::string& sha256) {
        const pid_t child = ::fork();
        if (child == 0) {
            const TrialMark mark(data_, sha256);
            ::_exit(9);
        }
        ::waitpid(child, nullptr, 0);
    };
    const auto sha256_of = [&](const std::string& file) {
        return sha256_hex(as_bytes(read_file(project_.file_of(file)).value()));
    };
    project_.publish("digits", {.number = 2});
    for (int i = 0; i < 2; ++i) die_in_a_trial(sha256_of("models/digits/2.tflite"));
    ASSERT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 2);
    EXPECT_EQ(TrialMark::deaths(data_, sha256_of("models/digits/2.tflite")), 0);
    project_.publish("digits", {.number = 3});
    for (int i = 0; i < 3; ++i) die_in_a_trial(sha256_of("models/digits/3.tflite"));
    EXPECT_EQ(code_of(device_->sync(soon)), Code::incompatible);
    EXPECT_EQ(digits_->status().why,
              "digits:3 ended the process three times when it was tried, digits:2 runs");
}

TEST_F(Updating, rotten_file_is_fetched_again) {
    const std::string path = digits_->file()->path;
    {
        std::ofstream file(path, std::ios::in | std::ios::binary);
        file.seekp(10);
        file << "rot rot rot";
    }
    const auto next = client();
    const auto digits = model(*next, "digits", free(bundled_file()));
    EXPECT_EQ(compute(*digits), 100);
    EXPECT_NE(digits->status().why.find("damaged"), std::string::npos) << digits->status().why;
    ASSERT_TRUE(next->sync(soon).ok());
    EXPECT_EQ(compute(*digits), 1);
}

// One byte that the loader does not look at: what runs is what was signed, or it does not run.
TEST_F(Updating, a_weight_that_rotted_is_seen) {
    project_.publish("digits", {.number = 1, .bytes = multiplier(7)});
    ASSERT_TRUE(device_->sync(soon).ok());
    const std::string path = digits_->file()->path;
    std::string bytes = read_file(path).value();
    const float factor = 7;
    const std::size_t at = bytes.find(std::string(reinterpret_cast<const char*>(&factor), 4));
    ASSERT_NE(at, std::string::npos);
    {
        std::ofstream file(path, std::ios::in | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(at));
        file << '\1';
    }
    const auto next = client();
    const auto digits = model(*next, "digits", free(bundled_file()));
    EXPECT_EQ(compute(*digits), 100);
    EXPECT_EQ(digits->status().why,
              "digits:1: its file on this disk was damaged, it is fetched again, "
              "digits (bundled) runs");
    ASSERT_TRUE(next->sync(soon).ok());
    EXPECT_EQ(compute(*digits), 7);
}

// A server that says nothing: what a deadline and a cancel end.
TEST_F(Updating, deadlines_and_cancel_bound_a_silent_transfer) {
    project_.publish("digits", {.number = 2});
    std::atomic<bool> silent{false};
    instead_ = [&](const host::HttpRequest& request) -> std::optional<Result<Answer>> {
        silent = true;
        const auto begin = std::chrono::steady_clock::now();
        const auto limit =
            std::chrono::milliseconds(std::min<std::int64_t>(request.timeout_ms, 9000));
        while (!*request.stops && std::chrono::steady_clock::now() - begin < limit)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return Result<Answer>(retryable(Code::deadline_exceeded, "silent"));
    };
    auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(code_of(digits_->update({.deadline = std::chrono::seconds(1)}).wait(soon)),
              Code::deadline_exceeded);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
    silent = false;
    Download download = digits_->update({});
    while (!silent) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    begin = std::chrono::steady_clock::now();
    download.cancel();
    EXPECT_EQ(code_of(download.wait(soon)), Code::cancelled);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
    instead_ = {};
    EXPECT_TRUE(digits_->update({}).wait(soon).ok());
}

// Who waits for no condition still waits a while for another process, and takes what that brought.
TEST_F(Updating, another_process_is_waited_for_a_while) {
    project_.publish("digits", {.number = 2});
    const auto store = Store::open(data_).value();
    auto lock = store->update_lock().value();
    const DownloadConditions now{.deadline = std::chrono::seconds(0)};
    Download download = digits_->update(now);
    EXPECT_EQ(code_of(download.wait(std::chrono::milliseconds(400))), Code::deadline_exceeded);
    EXPECT_EQ(download.progress().why, "waits until another process has updated this store");
    project_.clock->advance_ms(9'000);
    EXPECT_EQ(code_of(download.wait(std::chrono::milliseconds(400))), Code::deadline_exceeded);
    lock.reset();
    EXPECT_TRUE(download.wait(soon).ok());
    EXPECT_EQ(compute(*digits_), 2);

    lock = store->update_lock().value();
    download = digits_->update(now);
    EXPECT_EQ(code_of(download.wait(std::chrono::milliseconds(300))), Code::deadline_exceeded);
    project_.clock->advance_ms(10'001);
    const Status gave_up = download.wait(soon);
    EXPECT_EQ(code_of(gave_up), Code::conditions_unmet);
    EXPECT_EQ(gave_up.error().message, "another process was updating this store all the time");
    // The conditions themselves are not waited for.
    lock.reset();
    project_.publish("digits", {.number = 3});
    network_->set(false, false);
    EXPECT_EQ(code_of(digits_->update(now).wait(std::chrono::seconds(5))), Code::conditions_unmet);
}

TEST_F(Updating, a_check_is_noted_by_whoever_makes_it) {
    project_.clock->advance_ms(60'000);
    ASSERT_TRUE(digits_->update({}).wait(soon).ok());
    EXPECT_EQ(device_->diagnostics()->at("checked_at_s"), project_.clock->unix_ms() / 1000);
}

// What an earlier attempt left whole, and the disk spoiled since.
TEST_F(Updating, rotten_leftovers_are_not_installed) {
    project_.publish("digits", {.number = 2});
    const std::string right = read_file(project_.file_of("models/digits/2.tflite")).value();
    std::string rotten = right;
    rotten[rotten.size() / 2] ^= 1;
    ASSERT_TRUE(
        write_file(data_ + "/blobs/sha256/" + sha256_hex(as_bytes(right)), as_bytes(rotten)).ok());
    ASSERT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 2);
    EXPECT_EQ(fetched(), 1);
    EXPECT_EQ(read_file(digits_->file()->path).value(), right);
}

TEST_F(Updating, sync_ends_when_its_time_is_up) {
    const auto store = Store::open(data_).value();
    const auto lock = store->update_lock();
    ASSERT_TRUE(lock.ok());
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(code_of(device_->sync(std::chrono::milliseconds(150))), Code::deadline_exceeded);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
    // A download waits for its turn, and says so.
    Download download = digits_->update({});
    EXPECT_EQ(code_of(download.wait(std::chrono::milliseconds(300))), Code::deadline_exceeded);
    EXPECT_EQ(download.progress().why, "waits until another process has updated this store");
}

TEST_F(Updating, a_sync_out_of_time_is_gone_on_with) {
    const std::string big(3'000'000, 'x');
    project_.publish("digits", {.number = 2, .files = {{"big.txt", big}}});
    instead_ = [&](const host::HttpRequest& request) -> std::optional<Result<Answer>> {
        if (request.url.find("big.txt") != std::string::npos)
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
        return std::nullopt;
    };
    EXPECT_EQ(code_of(device_->sync(std::chrono::milliseconds(250))), Code::deadline_exceeded);
    EXPECT_EQ(compute(*digits_), 1);
    EXPECT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 2);
}

TEST_F(Updating, quota) {
    device_.reset();
    project_.publish("digits", {.number = 2, .files = {{"big.txt", std::string(30'000, 'x')}}});
    const auto small = client([](ClientOptions& o) { o.store_quota_bytes = 20'000; });
    const auto digits = model(*small);
    EXPECT_EQ(code_of(small->sync(soon)), Code::not_enough_space);
    EXPECT_EQ(compute(*digits), 1);
    EXPECT_NE(digits->status().why.find("quota"), std::string::npos) << digits->status().why;
    const auto large = client();
    (void)model(*large);
    EXPECT_TRUE(large->sync(soon).ok());
    EXPECT_EQ(compute(*digits), 2);
}

TEST_F(Updating, older_versions_are_collected) {
    for (const std::uint32_t number : {2, 3, 4}) {
        project_.publish("digits", {.number = number});
        ASSERT_TRUE(device_->sync(soon).ok());
    }
    ASSERT_TRUE(device_->sync(soon).ok());
    EXPECT_EQ(list_folder(data_ + "/versions/digits")->size(), 2u);
    EXPECT_EQ(list_folder(data_ + "/blobs/sha256")->size(), 2u);
    EXPECT_EQ(device_->downloaded_models().size(), 1u);
    EXPECT_EQ(device_->downloaded_models()[0].number, 4u);
}

// One connection after the other breaks; what came is not fetched again.
TEST_F(Updating, goes_on_where_a_connection_broke) {
    const std::string big(200'000, 'x');
    project_.publish("digits", {.number = 2, .files = {{"big.txt", big}}});
    std::size_t served = 0;
    instead_ = [&](const host::HttpRequest& request) -> std::optional<Result<Answer>> {
        if (request.url.find("big.txt") == std::string::npos) return std::nullopt;
        std::size_t from = 0;
        for (const auto& [name, value] : request.headers)
            if (name == "Range") from = std::stoul(value.substr(6));
        Answer answer{from ? 206 : 200, {}, big.substr(from), 40'000};
        if (from)
            answer.headers.push_back({"content-range", "bytes " + std::to_string(from) + "-" +
                                                           std::to_string(big.size() - 1) + "/" +
                                                           std::to_string(big.size())});
        served += std::min<std::size_t>(answer.body.size(), answer.cut_after);
        return Result<Answer>(answer);
    };
    for (int attempt = 0; attempt < 8 && !device_->sync(soon).ok(); ++attempt) {
        EXPECT_EQ(compute(*digits_), 1);
    }
    EXPECT_EQ(compute(*digits_), 2);
    EXPECT_EQ(served, big.size());
}

TEST_F(Updating, metered_allowance_is_kept) {
    network_->set(true, true);
    ModelOptions options;
    options.conditions = {.wifi = true, .metered_bytes_per_month = 20'000};
    const auto device = client();
    const auto digits = model(*device, "digits", options);
    project_.publish("digits", {.number = 2});
    EXPECT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(compute(*digits), 2);
    const auto store = Store::open(data_).value();
    const std::uint64_t used = store->metered_bytes("2027-01").value();
    EXPECT_GT(used, 3'000u);
    EXPECT_LT(used, 20'000u);
    project_.publish("digits", {.number = 3, .files = {{"big.txt", std::string(30'000, 'x')}}});
    EXPECT_EQ(code_of(device->sync(soon)), Code::conditions_unmet);
    EXPECT_NE(digits->status().why.find("allowance"), std::string::npos) << digits->status().why;
    // Wifi costs nothing.
    network_->set(true, false);
    const std::uint64_t before = store->metered_bytes("2027-01").value();
    EXPECT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(store->metered_bytes("2027-01").value(), before);
}

TEST_F(Updating, on_change_and_progress_are_told_outside_of_locks) {
    std::vector<std::string> told;
    std::shared_ptr<Model> digits;
    // Runs what it is given at once: whoever holds a lock then would wait for itself.
    const auto device = client(
        [](ClientOptions& o) { o.executor = [](const std::function<void()>& task) { task(); }; });
    ModelOptions options = free();
    options.on_change = [&](const ModelStatus& now, const ModelStatus& before) {
        told.push_back(before.why + " -> " + now.why);
        if (digits) {
            EXPECT_EQ(digits->status().why, now.why);
        }
    };
    digits = model(*device, "digits", options);
    EXPECT_TRUE(told.empty());
    project_.publish("digits", {.number = 2});
    ASSERT_TRUE(device->sync(soon).ok());
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0],
              "digits:1 runs: it is the default of the rules -> digits:2 runs: it is the "
              "default of the rules");
}

}  // namespace
}  // namespace skiff::device::testing
