#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <ctime>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/models/describe.h"
#include "server/server.h"
#include "trust/date_time.h"

namespace skiff::cli {
namespace {

void log_to_stderr(LogLevel level, std::string_view message) {
    const char* word = level == LogLevel::error     ? "error: "
                       : level == LogLevel::warning ? "warning: "
                                                    : "";
    // Paths are what strangers ask for.
    const std::string line = trust::date_time_text(std::time(nullptr)) + " " + word +
                             visible(std::string(message)) + "\n";
    std::fputs(line.c_str(), stderr);
}

Result<ExitCode> serve(const Session& session, const server::ServerOptions& options) {
    // Blocked before any thread begins, so that this one alone gets them.
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    const bool quiet = session.quiet;
    set_log_sink([quiet](LogLevel level, std::string_view message) {
        if (level >= (quiet ? LogLevel::warning : LogLevel::info)) log_to_stderr(level, message);
    });
    const auto running = TRY(server::Server::start(options));
    std::printf("listening on http://%s\n", running->address().c_str());
    if (!options.admin_listen.empty())
        std::printf("admin on http://%s\n", running->admin_address().c_str());
    std::fflush(stdout);
    int signal = 0;
    sigwait(&ends, &signal);
    log(LogLevel::info, signal == SIGTERM ? "SIGTERM: stopping" : "SIGINT: stopping");
    running->stop();
    return exit_done;
}

}  // namespace

void add_serve(CLI::App& app, Session& session) {
    const auto options = std::make_shared<server::ServerOptions>();
    CLI::App* verb = app.add_subcommand(
        "serve", "Serves projects: models to devices, reports and the API (docs/api.md)");
    verb->add_option("--data", options->data, "where it keeps everything; made when absent")
        ->required();
    verb->add_option("--listen", options->listen,
                     "ADDRESS:PORT, port 0 for any (default 127.0.0.1:8080)");
    verb->add_option("--admin-listen", options->admin_listen,
                     "/healthz, /readyz and /metrics here instead");
    verb->callback([&session, options] { session.run([&] { return serve(session, *options); }); });
}

}  // namespace skiff::cli
