#include "tests/cli/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

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

Finished run_skiff(const std::vector<std::string>& arguments,
                   const std::map<std::string, std::string>& environment) {
    const std::string out = scratch_folder() + "/out", err = scratch_folder() + "/err";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
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
    Finished finished;
    int pid = 0, status = 0;
    if (posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), envp.data()) == 0) {
        waitpid(pid, &status, 0);
        finished.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    posix_spawn_file_actions_destroy(&actions);
    finished.out = read_file(out).value();
    finished.err = read_file(err).value();
    return finished;
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
