#include "tests/cli/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/files.h"
#include "cli/engine_choice.h"
#include "model/builder_ops.h"

extern char** environ;

namespace skiff::cli::test {

std::string build_folder() {
    return folder_of_this_program();
}

std::string scratch_folder() {
    static const std::string folder = [] {
        char path[] = "/tmp/skiff_test_cli.XXXXXX";
        if (mkdtemp(path) == nullptr) std::abort();
        static const std::string made = path;
        std::atexit([] { std::filesystem::remove_all(made); });
        return made;
    }();
    return folder;
}

std::string scratch_file(const std::string& name, Bytes bytes) {
    const std::string path = scratch_folder() + "/" + name;
    write_file(path, bytes).value();
    return path;
}

namespace {

int start(const std::vector<std::string>& arguments,
          const std::map<std::string, std::string>& environment,
          posix_spawn_file_actions_t& actions) {
    std::vector<std::string> words = {build_folder() + "/skiff"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv, envp;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::vector<std::string> settings;
    for (const auto& [name, value] : environment) settings.push_back(name + "=" + value);
    for (std::string& setting : settings) envp.push_back(setting.data());
    for (char** entry = environ; *entry; ++entry) envp.push_back(*entry);
    envp.push_back(nullptr);
    int pid = 0;
    if (posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), envp.data()) != 0) pid = 0;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

int wait_for(int pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Finished run_skiff(const std::vector<std::string>& arguments,
                   const std::map<std::string, std::string>& environment) {
    // Several may run at once.
    static std::atomic<int> runs{0};
    const std::string files = scratch_folder() + "/" + std::to_string(++runs);
    const std::string out = files + ".out", err = files + ".err";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    Finished finished;
    if (const int pid = start(arguments, environment, actions)) finished.exit_code = wait_for(pid);
    finished.out = read_file(out).value();
    finished.err = read_file(err).value();
    remove_file(out).value();
    remove_file(err).value();
    return finished;
}

Running::Running(const std::vector<std::string>& arguments,
                 const std::map<std::string, std::string>& environment, int err) {
    int pipe[2];
    CHECK(::pipe2(pipe, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], 1);
    if (err >= 0)
        posix_spawn_file_actions_adddup2(&actions, err, 2);
    else
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    pid_ = start(arguments, environment, actions);
    CHECK(pid_ > 0);
    ::close(pipe[1]);
    out_ = pipe[0];
}

Running::~Running() {
    if (pid_ > 0) end(SIGKILL);
    ::close(out_);
}

std::string Running::read_line() {
    std::string line;
    for (char c; ::read(out_, &c, 1) == 1 && c != '\n';) line += c;
    return line;
}

int Running::end(int signal) {
    ::kill(pid_, signal);
    return wait();
}

int Running::wait() {
    return wait_for(std::exchange(pid_, 0));
}

std::vector<std::uint8_t> doubling_model(std::int32_t n) {
    model::Builder builder;
    const auto x = builder.add_tensor({.name = "x", .shape = {n}});
    const auto y = builder.add_tensor({.name = "y", .shape = {n}});
    builder.add_operator(model::ops::add(x, x, y));
    builder.set_inputs({x});
    builder.set_outputs({y});
    return builder.write().value();
}

std::string oracle(const std::string& file) {
    const std::string path = build_folder() + "/oracle/" + file;
    return file_exists(path) ? path : "";
}

std::string corpus() {
    const char* set = std::getenv("SKIFF_CORPUS");
    const std::string folder = set ? set : "../shared/corpus";
    return file_exists(folder + "/models.tsv") ? folder : "";
}

}  // namespace skiff::cli::test
