#include "device/reporter.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/random.h"
#include "base/url.h"
#include "device/choice.h"
#include "device/experiment.h"
#include "telemetry/report.h"

namespace skiff::device {

namespace {

constexpr std::int64_t most_waiting = 64;  // counts wait in their file while more do

struct Waiting {
    std::int64_t id = 0;
    std::string body;
};

Result<std::optional<Waiting>> next_waiting(Store& store) {
    std::optional<Waiting> next;
    TRY(store.look([&](sqlite::Database& db) -> Status {
        sqlite::Statement query =
            TRY(db.prepare("SELECT id, body FROM reports WHERE refused = '' ORDER BY id LIMIT 1"));
        if (TRY(query.step())) next = Waiting{query.integer(0), query.text(1)};
        return {};
    }));
    return next;
}

Status set_fact_in(sqlite::Database& db, std::string_view name, std::string_view value) {
    sqlite::Statement insert = TRY(db.prepare("INSERT OR REPLACE INTO facts VALUES (?, ?)"));
    return insert.bind(1, name).bind(2, value).run();
}

Result<std::uint64_t> committed_generation(sqlite::Database& db) {
    sqlite::Statement query =
        TRY(db.prepare("SELECT value FROM facts WHERE name = 'counters_generation'"));
    const bool any = TRY(query.step());
    return any ? static_cast<std::uint64_t>(query.integer(0)) : 0;
}

// While an experiment runs, a device's reports belong together; otherwise each stands alone.
Result<bool> experiment_runs(Store& store) {
    for (const std::string& model : TRY(store.models())) {
        const ModelState state = TRY(store.read(model));
        if (state.ruleset && has_experiment(state.ruleset->json())) return true;
    }
    return false;
}

Status freeze(Core& core) {
    Store& store = *core.store;
    const bool belongs_together = TRY(experiment_runs(store));
    telemetry::Report report;
    report.report_id = TRY(store.fact("report_id"));
    const std::int64_t last = TRY(store.number_fact("report_sequence"));
    if (!belongs_together || report.report_id.empty()) report.report_id = random_uuid();
    const bool goes_on = report.report_id == TRY(store.fact("report_id"));
    report.sequence = goes_on ? static_cast<std::uint64_t>(last) + 1 : 1;
    // Never before what was signed: of a clock that is months behind, the server takes no report.
    report.window_end_ms = std::max(core.options.host.clock->unix_ms(),
                                    TRY(store.number_fact("clock_floor_s")) * 1000);
    report.window_start_ms = TRY(store.number_fact("report_window_ms"));
    if (report.window_start_ms == 0 || report.window_start_ms > report.window_end_ms)
        report.window_start_ms = report.window_end_ms;
    const auto attributes = core.attributes();
    report.app_version = text_attribute(*attributes, "app_version").substr(0, 63);
    report.os = text_attribute(*attributes, "os").substr(0, 63);
    report.arch = text_attribute(*attributes, "arch").substr(0, 63);
    return core.recorder->take(
        [&](std::uint64_t generation, const std::vector<telemetry::CellSnapshot>& cells) {
            report.cells = cells;
            return store.write([&](sqlite::Database& db) -> Status {
                // Another process may have come this far, and died before the counters were empty.
                const std::uint64_t committed = TRY(committed_generation(db));
                if (committed >= generation) return {};
                sqlite::Statement insert = TRY(db.prepare("INSERT INTO reports (body) VALUES (?)"));
                TRY(insert.bind(1, telemetry::write_report(report)).run());
                TRY(set_fact_in(db, "counters_generation", std::to_string(generation)));
                TRY(set_fact_in(db, "report_id", report.report_id));
                TRY(set_fact_in(db, "report_sequence", std::to_string(report.sequence)));
                return set_fact_in(db, "report_window_ms", std::to_string(report.window_end_ms));
            });
        });
}

Status post(Core& core, const Waiting& report) {
    host::HttpRequest request;
    request.method = "POST";
    request.url = report_url(core.options);
    request.headers = {{"Authorization", "Bearer " + core.options.report_token},
                       {"Content-Type", "application/json"}};
    request.body = report.body;
    request.max_bytes = 64u << 10;
    std::string answer;
    const auto response = core.mirrors.send(request, [&](const host::HttpResponse&, Bytes bytes) {
        answer.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return true;
    });
    if (!response.ok()) return response.error();
    const int status = response->status;
    const auto finish = [&](const char* sql, std::string_view text) {
        return core.store->write([&](sqlite::Database& db) -> Status {
            sqlite::Statement statement = TRY(db.prepare(sql));
            statement.bind(1, report.id);
            if (!text.empty()) statement.bind(2, text);
            return statement.run();
        });
    };
    if (status >= 200 && status < 300) return finish("DELETE FROM reports WHERE id = ?1", "");
    if (status == 400) {
        log(LogLevel::warning, "the server refused a report, it is set aside: " + answer);
        return finish("UPDATE reports SET refused = ?2 WHERE id = ?1", "400 " + answer);
    }
    const std::string what = display_url(request.url) + " answered " + std::to_string(status);
    if (status == 401 || status == 403)
        return error(Code::unauthenticated, what +
                                                ": the report token is not good there; "
                                                "the reports wait");
    return retryable(Code::unavailable, what + ": the reports wait");
}

Status send_waiting(Core& core) {
    for (;;) {
        const std::optional<Waiting> next = TRY(next_waiting(*core.store));
        if (!next) return {};
        if (core.stops) return error(Code::cancelled, "the client is going");
        TRY(post(core, *next));
    }
}

}  // namespace

std::string report_url(const ClientOptions& options) {
    if (!options.report_url.empty()) return options.report_url;
    for (std::string url : options.urls) {
        while (url.ends_with('/')) url.pop_back();
        const std::size_t scheme = url.find("://"), project = url.rfind("/p/");
        if (scheme == std::string::npos || project == std::string::npos || project <= scheme + 2 ||
            !url.starts_with("http"))
            continue;
        const std::string name = url.substr(project + 3);
        const std::size_t path = url.find('/', scheme + 3);
        if (name.empty() || name.find('/') != std::string::npos || path != project) continue;
        return url.substr(0, path) + "/v1/projects/" + name + "/reports";
    }
    return {};
}

Status report(Core& core) {
    if (core.options.report_token.empty()) return {};
    if (report_url(core.options).empty())
        return error(Code::invalid_argument,
                     "report_url: none of the urls ends in /p/PROJECT, so give it with the token");
    if (!core.mirrors.has_http())
        return error(Code::no_network, "this build has no HTTP of its own: give one in the host");
    Meter meter(core);
    Status sent = send_waiting(core);
    if (TRY(report_counts(*core.store)).waiting < most_waiting) TRY(freeze(core));
    if (!sent.ok()) return sent;
    return send_waiting(core);
}

Result<ReportCounts> report_counts(Store& store) {
    ReportCounts counts;
    TRY(store.look([&](sqlite::Database& db) -> Status {
        sqlite::Statement query =
            TRY(db.prepare("SELECT COUNT(*), SUM(refused = '') FROM reports"));
        TRY(query.step());
        counts.waiting = query.integer(1);
        counts.refused = query.integer(0) - counts.waiting;
        return {};
    }));
    return counts;
}

}  // namespace skiff::device
