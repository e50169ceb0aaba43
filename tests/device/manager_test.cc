// RemoteModelManager's calls, and what an app may bring along.
#include <atomic>
#include <thread>

#include "base/hex.h"
#include "tests/device/world.h"

namespace skiff::device::testing {
namespace {

class Managing : public World {
 protected:
    void SetUp() override {
        project_.publish("digits", {});
        device_ = client();
    }
    static Code wait(const Download& download) {
        const Status done = download.wait(soon);
        return done.ok() ? Code::ok : done.error().code;
    }
    std::shared_ptr<Client> device_;
};

TEST_F(Managing, first_download_and_what_is_there_after_it) {
    EXPECT_FALSE(device_->is_model_downloaded("digits"));
    EXPECT_EQ(wait(device_->download("digits", DownloadType::local_model, {})), Code::ok);
    EXPECT_TRUE(device_->is_model_downloaded("digits"));
    ASSERT_EQ(device_->downloaded_models().size(), 1u);
    EXPECT_EQ(to_string(device_->downloaded_models()[0]), "digits:1");
    EXPECT_EQ(device_->model_names(), std::vector<std::string>{"digits"});
    EXPECT_EQ(device_->download("Bad Name", DownloadType::local_model, {}).wait(soon).error().code,
              Code::invalid_argument);
}

TEST_F(Managing, local_model_asks_nobody_once_it_is_there) {
    ASSERT_EQ(wait(device_->download("digits", DownloadType::local_model, {})), Code::ok);
    project_.publish("digits", {.number = 2});
    asked();
    EXPECT_EQ(wait(device_->download("digits", DownloadType::local_model, {})), Code::ok);
    EXPECT_TRUE(asked().empty());
}

TEST_F(Managing, update_in_background_is_done_at_once) {
    ASSERT_EQ(wait(device_->download("digits", DownloadType::local_model, {})), Code::ok);
    project_.publish("digits", {.number = 2});
    const Download now =
        device_->download("digits", DownloadType::local_model_update_in_background, {});
    EXPECT_TRUE(now.done());
    for (int i = 0; i < 500 && device_->downloaded_models()[0].number != 2; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(device_->downloaded_models()[0].number, 2u);
}

TEST_F(Managing, latest_falls_back) {
    reachable_ = false;
    EXPECT_EQ(wait(device_->download("digits", DownloadType::latest_model, {})), Code::no_network);
    reachable_ = true;
    ASSERT_EQ(wait(device_->download("digits", DownloadType::latest_model, {})), Code::ok);
    project_.publish("digits", {.number = 2});
    reachable_ = false;
    EXPECT_EQ(wait(device_->download("digits", DownloadType::latest_model, {})), Code::ok);
    reachable_ = true;
    network_->set(true, true);
    EXPECT_EQ(wait(device_->download("digits", DownloadType::latest_model, {.wifi = true})),
              Code::ok);
    EXPECT_EQ(device_->downloaded_models()[0].number, 1u);
    network_->set(true, false);
    EXPECT_EQ(wait(device_->download("digits", DownloadType::latest_model, {.wifi = true})),
              Code::ok);
    EXPECT_EQ(device_->downloaded_models()[0].number, 2u);
}

TEST_F(Managing, a_second_call_gives_the_download_that_runs) {
    power_->set(false, 10, false);
    Download first = device_->download("digits", DownloadType::local_model, {.charging = true});
    Download second = device_->download("digits", DownloadType::latest_model, {});
    EXPECT_FALSE(second.done());
    second.cancel();
    EXPECT_EQ(wait(first), Code::cancelled);
    // After it another one begins.
    EXPECT_EQ(wait(device_->download("digits", DownloadType::local_model, {})), Code::ok);
}

TEST_F(Managing, deleting) {
    EXPECT_TRUE(device_->delete_downloaded_model("digits").ok());  // fine if absent
    ASSERT_EQ(wait(device_->download("digits", DownloadType::local_model, {})), Code::ok);
    const auto digits = model(*device_, "digits", free(bundled_file()));
    const auto file = digits->file();
    ASSERT_TRUE(device_->delete_downloaded_model("digits").ok());
    EXPECT_FALSE(device_->is_model_downloaded("digits"));
    EXPECT_EQ(compute(*digits), 100);
    EXPECT_TRUE(file_exists(file->path));  // leased
    EXPECT_EQ(wait(device_->download("digits", DownloadType::local_model, {})), Code::ok);
    EXPECT_EQ(compute(*digits), 1);
    EXPECT_TRUE(file_exists(file->path));
}

TEST_F(Managing, progress_is_told) {
    project_.publish("digits", {.number = 2, .files = {{"big.txt", std::string(100'000, 'x')}}});
    struct Told {  // outlives the test: the last call may come late
        std::mutex mutex;
        std::vector<Progress> all;
    };
    const auto told = std::make_shared<Told>();
    power_->set(false, 10, false);
    Download download = device_->download("digits", DownloadType::local_model, {.charging = true});
    download.on_progress([told](const Progress& now) {
        std::lock_guard lock(told->mutex);
        told->all.push_back(now);
    });
    power_->set(true, 10, false);
    ASSERT_EQ(wait(download), Code::ok);
    const auto is_told = [&] {
        std::lock_guard lock(told->mutex);
        return !told->all.empty() && told->all.back().state == Progress::State::active;
    };
    for (int i = 0; i < 500 && !is_told(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::lock_guard lock(told->mutex);
    const std::vector<Progress>& all = told->all;
    ASSERT_GT(all.size(), 4u);
    EXPECT_EQ(all.back().state, Progress::State::active);
    EXPECT_EQ(all.back().bytes, all.back().total_bytes);
    EXPECT_GT(all.back().total_bytes, 100'000u);
    for (std::size_t i = 1; i < all.size(); ++i) EXPECT_GE(all[i].bytes, all[i - 1].bytes);
}

class Periodic : public Managing {
 protected:
    static bool becomes(const std::function<bool()>& true_in_the_end) {
        for (int i = 0; i < 1000 && !true_in_the_end(); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        return true_in_the_end();
    }
    static void daily(ClientOptions& options) { options.check_every = std::chrono::hours(24); }
};

// A model that comes after the first check is not left alone for a day.
TEST_F(Periodic, updates_by_itself) {
    const auto device = client(daily);
    EXPECT_TRUE(becomes([&] { return device->diagnostics().value()["checked_at_s"] != 0; }));
    std::atomic<int> changes{0};
    ModelOptions options = free(bundled_file());
    options.on_change = [&](const ModelStatus&, const ModelStatus&) { ++changes; };
    const auto digits = model(*device, "digits", options);
    EXPECT_TRUE(becomes([&] { return compute(*digits) == 1; }));
    EXPECT_TRUE(becomes([&] { return changes > 0; }));
}

TEST_F(Periodic, waits_for_conditions_in_the_background) {
    network_->set(true, true);
    const auto device = client(daily);
    ModelOptions options = free(bundled_file());
    options.conditions = {.wifi = true};
    const auto digits = model(*device, "digits", options);
    EXPECT_TRUE(becomes([&] {
        return digits->status().why ==
               "digits:1 waits for wifi: this network is metered (script), digits (bundled) runs";
    })) << digits->status().why;
    network_->set(true, false);
    EXPECT_TRUE(becomes([&] { return compute(*digits) == 1; }));
}

TEST_F(Periodic, local_models_are_left_alone) {
    const auto device = client(daily);
    ModelOptions options = free(bundled_file());
    options.type = DownloadType::local_model;
    const auto digits = model(*device, "digits", options);
    EXPECT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(compute(*digits), 100);
    EXPECT_TRUE(digits->update({}).wait(soon).ok());  // when asked for
    EXPECT_EQ(compute(*digits), 1);
}

TEST_F(Periodic, ends_quickly_while_a_server_is_silent) {
    std::atomic<bool> asked{false};
    instead_ = [&](const host::HttpRequest& request) -> std::optional<Result<Answer>> {
        asked = true;
        // As the host's HTTP does: nothing comes until the request is stopped.
        while (request.stops && !*request.stops)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return Result<Answer>(error(Code::cancelled, "stopped"));
    };
    auto device = client(daily);
    EXPECT_TRUE(becomes([&] { return asked.load(); }));
    const auto begin = std::chrono::steady_clock::now();
    device.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

// The last handle of a client may go in one of its own callbacks.
TEST_F(Periodic, a_client_ends_in_its_own_callback) {
    std::atomic<bool> over{false};
    auto device = client(daily);
    ModelOptions options = free(bundled_file());
    options.on_change = [&](const ModelStatus&, const ModelStatus&) {
        device.reset();
        over = true;
    };
    const auto digits = model(*device, "digits", options);
    EXPECT_TRUE(becomes([&] { return over.load(); }));
    EXPECT_EQ(compute(*digits), 1);
}

TEST_F(Managing, bundled_models_of_every_kind) {
    const std::string bytes = multiplier(7);
    ModelOptions options = free();
    options.bundled = LocalModel{.bytes = as_bytes(bytes)};
    const auto from_memory = model(*device_, "memory", options);
    EXPECT_EQ(compute(*from_memory), 7);
    const auto file = from_memory->file();
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_EQ(read_file(file->path).value(), bytes);

    const std::string folder = project_.folder() + "/automl";
    ASSERT_TRUE(make_folders(folder).ok());
    ASSERT_TRUE(write_file(folder + "/model.tflite", as_bytes(bytes)).ok());
    ASSERT_TRUE(write_file(folder + "/dict.txt", as_bytes("a\nb\n")).ok());
    ASSERT_TRUE(write_file(folder + "/manifest.json",
                           as_bytes(R"({"modelFile":"model.tflite","labelsFile":"dict.txt",)"
                                    R"("modelType":"IMAGE_LABELING"})"))
                    .ok());
    options.bundled = LocalModel{.path = folder + "/manifest.json", .is_manifest = true};
    const auto automl = model(*device_, "automl", options);
    EXPECT_EQ(compute(*automl), 7);
    ASSERT_EQ(automl->file()->files.size(), 1u);
    EXPECT_EQ(automl->file()->files[0].first, "dict.txt");

    options.bundled = LocalModel{.path = folder + "/none.tflite"};
    EXPECT_EQ(device_->model("none", options).error().code, Code::not_found);
    options.bundled = LocalModel{.path = folder + "/dict.txt"};
    const auto opaque = model(*device_, "opaque", options);
    EXPECT_EQ(opaque->file()->path, folder + "/dict.txt");
    EXPECT_EQ(opaque->interpreter().error().code, Code::unimplemented);
    EXPECT_EQ(opaque->interpreter().error().message,
              "opaque (bundled) is no .tflite file: use its path, from file(), or bundle a .tflite "
              "model");
}

TEST_F(Managing, one_handle_per_name) {
    const auto first = model(*device_);
    EXPECT_EQ(first, model(*device_, "digits", free(bundled_file())));
}

}  // namespace
}  // namespace skiff::device::testing
