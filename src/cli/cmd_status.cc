#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "host/host.h"

namespace skiff::cli {
namespace {

struct Options {
    std::string url, project, token_file;
};

Result<Json> fetch_stats(const Options& options) {
    std::string token = TRY(read_file(options.token_file, 4096));
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
    host::HttpRequest request;
    request.url = options.url + "/v1/projects/" + options.project + "/stats";
    request.headers = {{"Authorization", "Bearer " + token}};
    const auto http = host::system_host().http;
    if (!http) return error(Code::unimplemented, "this skiff was built without HTTP");
    std::string body;
    const auto response = TRY(http->send(request, [&](const host::HttpResponse&, Bytes bytes) {
        body += as_text(bytes);
        return true;
    }));
    const auto json = parse_json(body, request.url);
    if (response.status == 200) return json;
    std::string message = "status " + std::to_string(response.status);
    if (json.ok() && json->is_object() && json->contains("error") && (*json)["error"].is_object() &&
        (*json)["error"].contains("message"))
        message = (*json)["error"].value("message", message);
    const bool login = response.status == 401 || response.status == 403;
    return error(login ? Code::unauthenticated : Code::unavailable, options.url + ": " + message);
}

std::string time_or_none(const Json& microseconds) {
    if (!microseconds.is_number()) return "-";
    return human_time(static_cast<std::int64_t>(microseconds.get<double>() * 1000));
}

std::string percent(std::int64_t part, std::int64_t whole) {
    if (whole == 0) return "-";
    return compact(100.0 * static_cast<double>(part) / static_cast<double>(whole)) + " %";
}

Result<Table> table_of(const Json& stats) {
    Table table({"model", "version", "runs", "success", "p50", "p95", "size", "memory", "installed",
                 "update failures"});
    for (const Json& row : *TRY(json_array(stats, "models", "stats"))) {
        const auto count = [&](const char* key) { return json_int(row, key, "stats"); };
        const std::int64_t version = TRY(count("version"))
        , runs = TRY(count("runs"));
        const std::int64_t cancelled = TRY(count("cancelled"))
        , success = TRY(count("success"));
        const std::int64_t size = TRY(count("size_bytes"))
        , memory = TRY(count("peak_memory_bytes"));
        table.add({
            TRY(json_string(row, "model", "stats"))
            , version == 0 ? "bundled" : std::to_string(version), with_commas(runs),
                percent(success, runs - cancelled), time_or_none(row.value("p50_us", Json())),
                time_or_none(row.value("p95_us", Json())),
                size ? human_bytes(static_cast<std::uint64_t>(size)) : "-",
                memory ? human_bytes(static_cast<std::uint64_t>(memory)) : "-",
                with_commas(TRY(count("installed"))), with_commas(TRY(count("update_failures")))
        });
    }
    return table;
}

Result<ExitCode> status(const Session& session, const Options& options) {
    const Json stats = TRY(fetch_stats(options));
    if (session.json()) {
        session.print_json(OrderedJson(stats));
        return exit_done;
    }
    const Table table = TRY(table_of(stats));
    if (table.empty())
        session.say("nothing was published in " + options.project + ", and nothing reported");
    else
        session.print_table(table);
    return exit_done;
}

}  // namespace

void add_status(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand(
        "status", "What devices report: runs, success, times and installs per model version");
    verb->add_option("--url", options->url, "the server, e.g. http://127.0.0.1:8080")->required();
    verb->add_option("--project", options->project)->required();
    verb->add_option("--token-file", options->token_file, "holds a token with the scope read")
        ->required();
    verb->callback([&session, options] { session.run([&] { return status(session, *options); }); });
}

}  // namespace skiff::cli
