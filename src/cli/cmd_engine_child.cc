#include "cli/commands.h"
#include "cli/isolated/isolated_engine.h"

namespace skiff::cli {

void add_engine_child(CLI::App& app, Session& session) {
    struct Options {
        int socket_fd = -1, model_fd = -1;
        std::uint64_t memory_limit = 0;
    };
    const auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("engine-child", "");
    verb->group("");  // not in --help
    verb->add_option("socket", options->socket_fd)->required();
    verb->add_option("model", options->model_fd)->required();
    verb->add_option("memory", options->memory_limit)->required();
    verb->callback([&session, options] {
        session.run([&]() -> Result<ExitCode> {
            serve_isolated_engine(options->socket_fd, options->model_fd, options->memory_limit);
            return exit_done;
        });
    });
}

}  // namespace skiff::cli
