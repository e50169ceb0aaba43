#include "tests/differential/worker.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>

#include "tests/differential/draw.h"

namespace skiff::differential {
namespace {

constexpr unsigned seconds_for_a_model = 20;
constexpr std::uint64_t models_of_a_child = 500;

// Where a child is: what is left of it when it dies.
struct Progress {
    std::uint64_t seed;
    bool theirs;
};
Progress* progress = nullptr;

void note_stage(bool theirs) {
    progress->theirs = theirs;
}

void write_text(int fd, const std::string& text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    std::string message(sizeof size, '\0');
    std::memcpy(message.data(), &size, sizeof size);
    message += text;
    for (std::size_t at = 0; at < message.size();) {
        const ssize_t n = write(fd, message.data() + at, message.size() - at);
        if (n <= 0) _exit(1);
        at += static_cast<std::size_t>(n);
    }
}

bool read_all(int fd, char* to, std::size_t size) {
    for (std::size_t at = 0; at < size;) {
        const ssize_t n = read(fd, to + at, size - at);
        if (n <= 0) return false;
        at += static_cast<std::size_t>(n);
    }
    return true;
}

bool read_text(int fd, std::string& text) {
    std::uint32_t size = 0;
    if (!read_all(fd, reinterpret_cast<char*>(&size), sizeof size)) return false;
    text.resize(size);
    return read_all(fd, text.data(), size);
}

[[noreturn]] void child(int fd, std::uint64_t first, std::uint64_t end, RunOptions options) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    const rlimit memory{std::uint64_t{4} << 30, std::uint64_t{4} << 30};
    setrlimit(RLIMIT_AS, &memory);
    const int quiet = open("/dev/null", O_WRONLY);
    if (quiet >= 0) dup2(quiet, STDERR_FILENO);  // the library is talkative
    options.stage = note_stage;
    for (std::uint64_t seed = first; seed < end; ++seed) {
        *progress = {seed, false};
        alarm(seconds_for_a_model);
        const Report report = run_seed(seed, options);
        alarm(0);
        write_text(fd, std::to_string(static_cast<int>(report.outcome)));
        write_text(fd, report.culprit);
        write_text(fd, report.reason);
        write_text(fd, report.details);
    }
    _exit(0);
}

bool read_result(int fd, SeedResult& result) {
    std::string outcome;
    if (!read_text(fd, outcome) || !read_text(fd, result.report.culprit) ||
        !read_text(fd, result.report.reason) || !read_text(fd, result.report.details))
        return false;
    result.report.outcome = static_cast<Outcome>(std::atoi(outcome.c_str()));
    return true;
}

// Returns the seed after the last one that is done.
std::uint64_t run_child(std::uint64_t first, std::uint64_t end, const RunOptions& options,
                        const std::function<void(const SeedResult&)>& each) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
    const pid_t pid = fork();
    if (pid < 0) std::abort();
    if (pid == 0) {
        close(ends[0]);
        child(ends[1], first, end, options);
    }
    close(ends[1]);
    std::uint64_t seed = first;
    SeedResult result;
    for (; seed < end && read_result(ends[0], result); ++seed) {
        result.seed = seed;
        each(result);
    }
    close(ends[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    if (seed == end) return end;
    result = {};
    result.seed = seed;
    result.crashed = true;
    result.theirs = progress->seed == seed && progress->theirs;
    result.report.culprit = draw_net(seed).text();
    result.report.details = describe(draw_net(seed));
    result.report.reason = WIFSIGNALED(status) ? std::string(strsignal(WTERMSIG(status)))
                                               : "exit " + std::to_string(WEXITSTATUS(status));
    each(result);
    return seed + 1;
}

}  // namespace

void run_seeds(std::uint64_t first, std::uint64_t count, const RunOptions& options,
               const std::function<void(const SeedResult&)>& each) {
    if (progress == nullptr)
        progress = static_cast<Progress*>(mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE,
                                               MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    const std::uint64_t end = first + count;
    for (std::uint64_t seed = first; seed < end;)
        seed = run_child(seed, std::min(end, seed + models_of_a_child), options, each);
}

}  // namespace skiff::differential
