#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/remote/http_home.h"
#include "cli/table.h"
#include "cli/workplace.h"

namespace skiff::cli {
namespace {

struct Options {
    WorkplaceOptions place;
    std::string url, project, token_file;
};

// In a project's folder its own server is meant, elsewhere the one of the current context.
Result<std::string> context_name(const Options& options) {
    if (!options.place.place.context.empty()) return options.place.place.context;
    const auto project = publish::Project::open(options.place.folder);
    if (project.ok() && !project->home().context.empty()) return project->home().context;
    const bool elsewhere = !project.ok() && project.error().code == Code::not_found;
    if (!project.ok() && !elsewhere) return project.error();
    const std::string current = TRY(load_contexts()).current;
    if (!current.empty()) return current;
    if (project.ok())
        return error(Code::failed_precondition,
                     project->name() + " lives in " + project->home().folder +
                         ", and a folder counts nothing (skiff models shows its versions; devices "
                         "report to skiff serve)");
    return error(Code::unauthenticated,
                 "no server is known (skiff login URL --project P, or give --url, --project and "
                 "--token-file)");
}

Result<Context> context_of(const Options& options) {
    if (options.url.empty()) return find_context(TRY(context_name(options)));
    Context context{.url = options.url, .project = options.project};
    TRY(check_server_url(context.url));
    context.token = TRY(read_file(options.token_file, 4096));
    while (context.token.ends_with('\n') || context.token.ends_with('\r')) context.token.pop_back();
    return context;
}

std::string time_or_none(const Json& microseconds) {
    if (!microseconds.is_number()) return "-";
    return human_time(static_cast<std::int64_t>(microseconds.get<double>() * 1000));
}

std::string percent(std::int64_t part, std::int64_t whole) {
    if (whole == 0) return "-";
    return compact(100.0 * static_cast<double>(part) / static_cast<double>(whole)) + " %";
}

// For programs: bytes, microseconds, counts; empty where there is none; version 0 is the bundled.
Result<Table> plain_table_of(const Json& stats) {
    const std::vector<std::string> columns = {
        "model",      "version",           "runs",      "success",        "p50_us", "p95_us",
        "size_bytes", "peak_memory_bytes", "installed", "update_failures"};
    Table table(columns);
    for (const Json& row : *TRY(json_array(stats, "models", "stats"))) {
        const std::string model = TRY(json_string(row, "model", "stats"));
        std::vector<std::string> cells = {model};
        for (std::size_t i = 1; i < columns.size(); ++i) {
            const Json value = row.value(columns[i], Json());
            cells.push_back(value.is_number() ? std::to_string(std::llround(value.get<double>()))
                                              : std::string());
        }
        table.add(std::move(cells));
    }
    return table;
}

Result<Table> table_of(const Json& stats) {
    Table table({"model", "version", "runs", "success", "p50", "p95", "size", "memory", "installed",
                 "update failures"});
    for (const Json& row : *TRY(json_array(stats, "models", "stats"))) {
        const std::string model = TRY(json_string(row, "model", "stats"));
        std::map<std::string, std::int64_t> n;
        for (const char* key : {"version", "runs", "cancelled", "success", "size_bytes",
                                "peak_memory_bytes", "installed", "update_failures"})
            n[key] = TRY(json_int(row, key, "stats"));
        const auto bytes = [&](const char* key) {
            return n[key] ? human_bytes(static_cast<std::uint64_t>(n[key])) : "-";
        };
        table.add({model, n["version"] == 0 ? "bundled" : std::to_string(n["version"]),
                   with_commas(n["runs"]), percent(n["success"], n["runs"] - n["cancelled"]),
                   time_or_none(row.value("p50_us", Json())),
                   time_or_none(row.value("p95_us", Json())), bytes("size_bytes"),
                   bytes("peak_memory_bytes"), with_commas(n["installed"]),
                   with_commas(n["update_failures"])});
    }
    return table;
}

// Said until it is done.
void say_keys_that_should_leave(const Session& session, const Options& options) {
    const auto project = publish::Project::open(options.place.folder);
    if (!project.ok()) return;
    const auto keys = project->key_files();
    for (const publish::KeyFile& key : keys.ok() ? *keys : std::vector<publish::KeyFile>())
        if (key.should_leave)
            session.say("warning: " + key.path +
                        " is still here: move it to a safe place away from this machine");
}

Result<ExitCode> status(const Session& session, const Options& options) {
    say_keys_that_should_leave(session, options);
    const Context context = TRY(context_of(options));
    auto http = host::system_host().http;
    if (!http) return error(Code::unimplemented, "this skiff was built without HTTP");
    HttpHome home(context, std::move(http));
    const Json stats = TRY(parse_json(TRY(home.stats()), home.describe()));
    if (session.json()) {
        session.print_json(OrderedJson(stats));
        return exit_done;
    }
    const Table table =
        TRY(session.format == Format::csv ? plain_table_of(stats) : table_of(stats));
    if (table.empty())
        session.say("nothing was published in " + context.project + ", and nothing reported");
    else
        session.print_table(table);
    return exit_done;
}

}  // namespace

void add_status(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand(
        "status", "What devices report: runs, success, times and installs per model version");
    add_folder_option(*verb, options->place);
    verb->add_option("--context", options->place.place.context,
                     "NAME: a project that skiff login knows (default: the project's home, else "
                     "the current one)");
    CLI::Option* url =
        verb->add_option("--url", options->url, "or a server: http://127.0.0.1:8080");
    CLI::Option* project = verb->add_option("--project", options->project)->needs(url);
    CLI::Option* token =
        verb->add_option("--token-file", options->token_file, "holds a token with the scope read");
    token->needs(url);
    url->needs(project)->needs(token);
    verb->callback([&session, options] { session.run([&] { return status(session, *options); }); });
}

}  // namespace skiff::cli
