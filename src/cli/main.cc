#include <csignal>

#include "cli/commands.h"

namespace {

constexpr const char* about =
    "Runs, checks and measures machine-learning models (.tflite), and delivers them.\n"
    "Exit status: 0 done, 1 failed, 2 misused, 3 deferred or timed out, 4 not logged in.";

void add_shared_options(CLI::App& app, skiff::cli::Session& session) {
    const std::map<std::string, skiff::cli::Format> formats = {{"table", skiff::cli::Format::table},
                                                               {"json", skiff::cli::Format::json},
                                                               {"csv", skiff::cli::Format::csv}};
    app.add_option("-o,--output", session.format, "table, json or csv")
        ->transform(CLI::CheckedTransformer(formats).description(""))
        ->type_name("FORMAT");
    app.add_flag("--json", session.json_flag, "same as -o json");
    app.add_flag("-q,--quiet", session.quiet, "no progress, no notes");
}

}  // namespace

int main(int argc, char** argv) {
    // A reader that closes the pipe is no reason to die silently in the middle of a file.
    std::signal(SIGPIPE, SIG_IGN);
    skiff::cli::Session session;
    CLI::App app{about, "skiff"};
    app.require_subcommand(1);
    app.fallthrough();
    app.set_version_flag("--version", "skiff 0.1.0");
    add_shared_options(app, session);
    skiff::cli::add_inspect(app, session);
    skiff::cli::add_run(app, session);
    skiff::cli::add_verify(app, session);
    skiff::cli::add_conformance(app, session);
    skiff::cli::add_bench(app, session);
    skiff::cli::add_init(app, session);
    skiff::cli::add_keys(app, session);
    skiff::cli::add_sign(app, session);
    skiff::cli::add_publish(app, session);
    skiff::cli::add_models(app, session);
    skiff::cli::add_pull(app, session);
    skiff::cli::add_rollout(app, session);
    skiff::cli::add_login(app, session);
    skiff::cli::add_context(app, session);
    skiff::cli::add_serve(app, session);
    skiff::cli::add_tokens(app, session);
    skiff::cli::add_status(app, session);
    skiff::cli::add_engine_child(app, session);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
        const bool unknown = app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-';
        const std::string what =
            unknown ? "there is no command '" + std::string(argv[1]) + "'" : e.what();
        skiff::cli::print_error(what + " (see skiff --help)");
        return skiff::cli::exit_misused;
    }
    return session.exit_code();
}
