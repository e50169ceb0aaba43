// `skiff device agent`: keeps a model up to date for programs that are not linked to Skiff: a
// stable link to the file of the version that runs, and a command to run when it changes.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "base/files.h"
#include "base/log.h"
#include "cli/device/options.h"
#include "cli/device/verbs.h"

extern char** environ;

namespace skiff::cli {
namespace {

using namespace std::chrono_literals;

struct AgentOptions {
    DeviceOptions device;
    std::string on_change;
    int every_s = 3600;
};

sigset_t ending_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

// True when one of them came. They are blocked in all threads, so that none is lost.
bool told_to_end(std::chrono::milliseconds wait) {
    const sigset_t set = ending_signals();
    const timespec limit{.tv_sec = wait.count() / 1000, .tv_nsec = wait.count() % 1000 * 1'000'000};
    return sigtimedwait(&set, nullptr, &limit) > 0;
}

Error system_error(const std::string& what) {
    return error(Code::unavailable, what + ": " + std::strerror(errno));
}

Result<std::string> absolute(const std::string& path) {
    char whole[PATH_MAX];
    if (!::realpath(path.c_str(), whole)) return system_error(path);
    return std::string(whole);
}

class Agent {
 public:
    Agent(const Session& session, const AgentOptions& options)
        : session_(session), options_(options) {}

    Result<ExitCode> execute() {
        const sigset_t set = ending_signals();
        pthread_sigmask(SIG_BLOCK, &set, nullptr);
        TRY(need_source(options_.device));
        // Checks that fail are in the library's log; each is said when it is another than before.
        set_log_sink([last = std::string()](LogLevel level, std::string_view message) mutable {
            if (level == LogLevel::debug || message == last) return;
            last = message;
            std::fprintf(stderr, "skiff: agent: %s\n", last.c_str());
        });
        device_ = TRY(open_device(options_.device, std::chrono::seconds(options_.every_s)));
        folder_ = options_.device.data + "/current";
        TRY(make_folders(folder_));
        link_ = folder_ + "/" + options_.device.model;
        device::DownloadConditions conditions = TRY(conditions_of(options_.device));
        conditions.deadline.reset();
        const device::Download first = device_.model->update(conditions);
        say("watches " + options_.device.model + ", checks every " +
            std::to_string(options_.every_s) + " s");
        std::string last_why;
        do {
            follow_or_say_why_not();
            if (const std::string why = device_.model->status().why; why != last_why) {
                last_why = why;
                if (!why.empty()) say(why);
            }
        } while (!ends_ && !told_to_end(200ms));
        say("ends");
        device_ = {};
        set_log_sink({});
        return exit_done;
    }

 private:
    void say(const std::string& line) const {
        session_.say("agent: " + line);
        std::fflush(stdout);
    }

    // What fails here (a full disk, say) may pass: the agent stays, and what runs stays.
    void follow_or_say_why_not() {
        const Status followed = follow();
        const std::string trouble = followed.ok() ? "" : followed.error().message;
        if (!trouble.empty() && trouble != trouble_)
            std::fprintf(stderr, "skiff: agent: %s\n", trouble.c_str());
        trouble_ = trouble;
    }

    // The link points at the version that runs; what it pointed at stays on disk until it does not.
    Status follow() {
        const auto running = device_.model->status().running;
        if (!running || (file_ && file_->version == *running)) return {};
        auto file = device_.model->file();
        if (!file.ok()) return {};  // opaque now, or gone in between: looked at again
        const std::string path = TRY(absolute(file->path));
        const bool changed = TRY(point_link_at(path));
        file_ = std::move(file).value();
        if (!changed) return {};
        say(device::to_string(file_->version) + " runs: " + path);
        return options_.on_change.empty() ? Status() : run_command(path);
    }

    Result<bool> point_link_at(const std::string& path) const {
        char now[PATH_MAX];
        const ssize_t length = ::readlink(link_.c_str(), now, sizeof now);
        if (length >= 0 && std::string_view(now, static_cast<std::size_t>(length)) == path)
            return false;
        const std::string fresh = link_ + ".new";
        TRY(remove_file(fresh));
        if (::symlink(path.c_str(), fresh.c_str()) != 0) return system_error(fresh);
        if (::rename(fresh.c_str(), link_.c_str()) != 0) return system_error(link_);
        TRY(sync_folder(folder_));
        return true;
    }

    // Waits for it; one that fails is said and changes nothing.
    Status run_command(const std::string& path) {
        std::vector<std::string> words = {"/bin/sh", "-c", options_.on_change};
        std::vector<std::string> settings = {
            "SKIFF_MODEL=" + options_.device.model,
            "SKIFF_VERSION=" + std::to_string(file_->version.number), "SKIFF_PATH=" + path};
        std::vector<char*> argv, envp;
        for (std::string& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        for (std::string& setting : settings) envp.push_back(setting.data());
        for (char** entry = environ; *entry; ++entry)
            if (std::strncmp(*entry, "SKIFF_MODEL=", 12) != 0 &&
                std::strncmp(*entry, "SKIFF_VERSION=", 14) != 0 &&
                std::strncmp(*entry, "SKIFF_PATH=", 11) != 0)
                envp.push_back(*entry);
        envp.push_back(nullptr);
        posix_spawnattr_t attributes;
        posix_spawnattr_init(&attributes);
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        pid_t pid = 0;
        const int failure =
            posix_spawn(&pid, argv[0], nullptr, &attributes, argv.data(), envp.data());
        posix_spawnattr_destroy(&attributes);
        if (failure != 0)
            return error(Code::unavailable, std::string("/bin/sh: ") + std::strerror(failure));
        wait_for(pid);
        return {};
    }

    // Told to end meanwhile, the command is told so too.
    void wait_for(pid_t pid) {
        int status = 0;
        while (::waitpid(pid, &status, WNOHANG) == 0) {
            if (!told_to_end(50ms)) continue;
            ends_ = true;
            ::kill(pid, SIGTERM);
        }
        if (status != 0 && !ends_)
            print_error("--on-change ended with " +
                        (WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                             : std::to_string(WEXITSTATUS(status))) +
                        ": " + options_.on_change);
    }

    const Session& session_;
    const AgentOptions& options_;
    OpenDevice device_;
    std::string folder_, link_, trouble_;    // trouble_: what follow() failed with
    std::optional<device::ModelFile> file_;  // with its lease
    bool ends_ = false;
};

}  // namespace

void add_device_agent(CLI::App& device, Session& session) {
    const auto options = std::make_shared<AgentOptions>();
    CLI::App* verb = device.add_subcommand(
        "agent", "Keep a model up to date: DATA/current/NAME links to the version that runs");
    add_store_options(*verb, options->device);
    add_source_options(*verb, options->device);
    add_condition_options(*verb, options->device);
    verb->add_option("--every", options->every_s, "SECONDS between checks (3600)")
        ->check(CLI::Range(1, 366 * 24 * 3600));
    verb->add_option("--on-change", options->on_change,
                     "COMMAND to run then, with SKIFF_MODEL, SKIFF_VERSION and SKIFF_PATH set");
    add_fact_options(*verb, options->device);
    verb->callback(
        [&session, options] { session.run([&] { return Agent(session, *options).execute(); }); });
}

}  // namespace skiff::cli
