// The verbs. Each add_<verb> puts its subcommand and options on the app; the verb runs through
// session.run() when the command line names it. The session outlives the app's parsing.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/session.h"

namespace skiff::cli {

void add_inspect(CLI::App& app, Session& session);
void add_run(CLI::App& app, Session& session);
void add_verify(CLI::App& app, Session& session);
void add_conformance(CLI::App& app, Session& session);
void add_bench(CLI::App& app, Session& session);
void add_init(CLI::App& app, Session& session);
void add_keys(CLI::App& app, Session& session);
void add_sign(CLI::App& app, Session& session);
void add_publish(CLI::App& app, Session& session);
void add_models(CLI::App& app, Session& session);
void add_pull(CLI::App& app, Session& session);
void add_rollout(CLI::App& app, Session& session);
void add_login(CLI::App& app, Session& session);
void add_context(CLI::App& app, Session& session);
void add_serve(CLI::App& app, Session& session);
void add_tokens(CLI::App& app, Session& session);
void add_status(CLI::App& app, Session& session);
void add_engine_child(CLI::App& app, Session& session);  // not listed: see isolated_engine.h

}  // namespace skiff::cli
