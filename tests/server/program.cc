#include "tests/server/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>

#include "base/files.h"

extern char** environ;

namespace skiff::server::test {

namespace {

// Starts the program with standard output and error in these descriptors.
int start(const std::vector<std::string>& arguments, int out, const std::string& err_file) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_addopen(&actions, 2, err_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                     0600);
    std::vector<std::string> words = {skiff_program()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    int pid = 0;
    CHECK(posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

int wait_for(int pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string temporary_file() {
    std::string form = std::filesystem::temp_directory_path() / "skiff_test_server_err.XXXXXX";
    const int fd = ::mkstemp(form.data());
    CHECK(fd >= 0);
    ::close(fd);
    return form;
}

}  // namespace

std::string skiff_program() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "skiff";
}

Finished run_skiff(const std::vector<std::string>& arguments) {
    int pipe[2];
    CHECK(::pipe2(pipe, O_CLOEXEC) == 0);
    const std::string err_file = temporary_file();
    const int pid = start(arguments, pipe[1], err_file);
    ::close(pipe[1]);
    Finished finished;
    char piece[4096];
    for (ssize_t n; (n = ::read(pipe[0], piece, sizeof piece)) > 0;)
        finished.out.append(piece, static_cast<std::size_t>(n));
    ::close(pipe[0]);
    finished.exit_code = wait_for(pid);
    finished.err = read_file(err_file).value();
    remove_file(err_file).value();
    return finished;
}

ServeProgram::ServeProgram(const std::string& data, std::vector<std::string> more)
    : err_file_(temporary_file()) {
    int pipe[2];
    CHECK(::pipe2(pipe, O_CLOEXEC) == 0);
    std::vector<std::string> arguments = {"serve", "--data", data, "--listen", "127.0.0.1:0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    pid_ = start(arguments, pipe[1], err_file_);
    ::close(pipe[1]);
    out_ = pipe[0];
    const std::string scheme = "http://", first = read_line();
    if (first.starts_with("listening on ")) address_ = first.substr(first.find(scheme) + 7);
    admin_address_ = address_;
    if (std::find(more.begin(), more.end(), "--admin-listen") == more.end()) return;
    const std::string second = read_line();
    admin_address_ = second.substr(second.find(scheme) + 7);
}

ServeProgram::~ServeProgram() {
    if (pid_ > 0) end(SIGKILL);
    ::close(out_);
    (void)remove_file(err_file_);
}

std::string ServeProgram::read_line() {
    std::string line;
    for (char c; ::read(out_, &c, 1) == 1 && c != '\n';) line += c;
    return line;
}

int ServeProgram::end(int signal) {
    ::kill(pid_, signal);
    return wait_for(std::exchange(pid_, 0));
}

std::string ServeProgram::error_output() const {
    return read_file(err_file_).value();
}

}  // namespace skiff::server::test
