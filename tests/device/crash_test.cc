// An update that ends anywhere: the device runs, and the next update goes on.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "base/hex.h"
#include "base/sha256.h"
#include "device/store.h"
#include "tests/device/world.h"

namespace skiff::device::testing {
namespace {

class Crashing : public World {
 protected:
    void SetUp() override {
        project_.publish("digits", {.number = 1, .files = {{"labels.txt", "1"}}});
        bundled_ = bundled_file();
        ASSERT_TRUE(client_of_today()->sync(soon).ok());
    }
    std::shared_ptr<Client> client_of_today() {
        auto device = client();
        digits_ = model(*device, "digits", free(bundled_));
        return device;
    }
    // What is left works: whole files of one version, whatever it is.
    void check_device(std::uint32_t newest) {
        const auto device = client_of_today();
        const float y = compute(*digits_);
        EXPECT_TRUE(y >= 1 && y <= static_cast<float>(newest)) << y;
        const auto file = digits_->file();
        ASSERT_TRUE(file.ok()) << file.error().message;
        EXPECT_EQ(static_cast<float>(file->version.number), y);
        EXPECT_EQ(sha256_hex(as_bytes(read_file(file->path).value())), file->version.sha256);
        EXPECT_EQ(read_file(file->files.at(0).second).value(),
                  std::to_string(file->version.number));
    }
    void publish(std::uint32_t number) {
        project_.publish("digits",
                         {.number = number, .files = {{"labels.txt", std::to_string(number)}}});
    }
    std::string bundled_;
    std::shared_ptr<Model> digits_;
};

// The connection breaks after N bytes in all, for many N.
TEST_F(Crashing, connections_break_anywhere) {
    publish(2);
    std::uint64_t budget = 0;
    const auto serve = host::serve_folder(project_.folder(), "http://models.example/p/demo");
    instead_ = [&](const host::HttpRequest& request) -> std::optional<Result<Answer>> {
        auto answer = serve(request).value();
        if (answer.body.size() > budget) answer.cut_after = budget;
        budget -= std::min<std::uint64_t>(budget, answer.body.size());
        return Result<Answer>(std::move(answer));
    };
    const std::string saved = data_ + ".saved";
    for (std::uint64_t bytes = 0; bytes < 6'000; bytes += 397) {
        std::filesystem::copy(data_, saved, std::filesystem::copy_options::recursive);
        budget = bytes;
        (void)client_of_today()->sync(soon);
        check_device(2);
        budget = UINT64_MAX;
        EXPECT_TRUE(client_of_today()->sync(soon).ok()) << bytes;
        EXPECT_EQ(compute(*digits_), 2) << bytes;
        std::filesystem::remove_all(data_);
        std::filesystem::rename(saved, data_);
    }
}

// The process is killed at any moment of an update, again and again.
TEST_F(Crashing, processes_are_killed_anywhere) {
    std::mt19937 random(7);
    std::uint32_t newest = 1;
    for (int round = 0; round < 50; ++round) {
        if (round % 3 == 0) publish(++newest);
        const pid_t child = ::fork();
        if (child == 0) {
            const auto device = client_of_today();
            ::_exit(device->sync(soon).ok() ? 0 : 1);
        }
        ::usleep(std::uniform_int_distribution<useconds_t>(0, 40'000)(random));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        check_device(newest);
    }
    EXPECT_TRUE(client_of_today()->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), static_cast<float>(newest));
}

// The process ends at its k-th request, for every k.
TEST_F(Crashing, processes_end_at_every_request) {
    for (int last = 1; last <= 12; ++last) {
        publish(static_cast<std::uint32_t>(last) + 1);
        const pid_t child = ::fork();
        if (child == 0) {
            int count = 0;
            instead_ = [&](const host::HttpRequest&) -> std::optional<Result<Answer>> {
                if (++count == last) ::_exit(9);
                return std::nullopt;
            };
            ::_exit(client_of_today()->sync(soon).ok() ? 0 : 1);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFEXITED(status));
        EXPECT_NE(WEXITSTATUS(status), 1);
        check_device(static_cast<std::uint32_t>(last) + 1);
    }
    EXPECT_TRUE(client_of_today()->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 13);
}

// A trial that takes the process along, three times: the version is not tried a fourth time.
TEST_F(Crashing, deadly_trials) {
    publish(2);
    for (int i = 0; i < 3; ++i) {
        const pid_t child = ::fork();
        if (child == 0) {
            const auto device = client([](ClientOptions& o) {
                o.executor = [](const std::function<void()>& task) { task(); };
            });
            const auto digits = model(*device, "digits", free(bundled_file()));
            // The update waits for its turn until the callback is there.
            const auto store = Store::open(data_).value();
            auto turn = store->update_lock();
            Download download = digits->update({});
            download.on_progress([](const Progress& now) {
                if (now.state == Progress::State::trying) ::_exit(9);
            });
            turn->reset();
            ::_exit(download.wait(soon).ok() ? 0 : 1);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFEXITED(status));
        ASSERT_EQ(WEXITSTATUS(status), 9);
        check_device(1);
    }
    EXPECT_EQ(client_of_today()->sync(soon).error().code, Code::incompatible);
    EXPECT_EQ(digits_->status().why,
              "digits:2 ended the process three times when it was tried, digits:1 runs");
}

// No room on the disk (a limit on file sizes gives the same error): the device runs on, the update
// is done when there is room.
TEST_F(Crashing, full_disk) {
    project_.publish(
        "digits",
        {.number = 2, .files = {{"labels.txt", "2"}, {"big.txt", std::string(5'000'000, 'x')}}});
    const pid_t child = ::fork();
    if (child == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{4'000'000, 4'000'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        const auto device = client_of_today();
        const Status synced = device->sync(soon);
        const bool right = !synced.ok() && synced.error().code == Code::not_enough_space &&
                           compute(*digits_) == 1 &&
                           digits_->status().why.find("digits:2: could not be fetched") == 0;
        ::_exit(right ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    check_device(1);
    EXPECT_TRUE(client_of_today()->sync(soon).ok());
    EXPECT_EQ(compute(*digits_), 2);
}

// Several processes use and update one store; all see the newest in the end.
TEST_F(Crashing, processes_share_a_store) {
    publish(2);
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
        const pid_t child = ::fork();
        if (child == 0) {
            const auto device = client_of_today();
            const bool synced = device->sync(soon).ok();
            ::_exit(synced && compute(*digits_) == 2 ? 0 : 1);
        }
        children.push_back(child);
    }
    // One that only looks notices by itself.
    const auto device = client_of_today();
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(compute(*digits_), 2);
}

}  // namespace
}  // namespace skiff::device::testing
