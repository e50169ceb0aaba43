// What devices report, and what it comes to.
#include <map>
#include <nlohmann/json.hpp>

#include "server/answers.h"
#include "server/router.h"

namespace skiff::server {

namespace {

const char* word_of(Taken taken) {
    if (taken == Taken::too_old) return "too_old";
    return taken == Taken::duplicate ? "duplicate" : "fresh";
}

void take_report(Services& services, const Call& call, const Reply& reply) {
    auto report = telemetry::read_report(call.request.body);
    if (!report.ok()) {
        services.metrics.count_report("refused");
        return reply(error_response(report.error()));
    }
    const auto done = [&services, reply](const Result<Taken>& taken) {
        if (!taken.ok()) {
            services.metrics.count_report("refused");
            const bool theirs = taken.error().code == Code::invalid_argument;
            return reply(theirs ? error_response(taken.error())
                                : storage_failure(taken.error(), "taking reports"));
        }
        services.metrics.count_report(word_of(*taken));
        // A device need not send again whatever the word is.
        Json body = {{"accepted", *taken != Taken::too_old}};
        if (*taken != Taken::fresh) body[word_of(*taken)] = true;
        reply(json_response(200, body));
    };
    if (services.report_writer->add({call.project, std::move(*report)}, done)) return;
    services.metrics.count_report("refused");
    reply(error_response(503, "UNAVAILABLE", "too many reports at once (send it again later)"));
}

struct VersionStats {
    telemetry::CellCounts counts;
    std::int64_t reports = 0;
    std::uint64_t size_bytes = 0;
};
using StatsByVersion = std::map<std::pair<std::string, std::int64_t>, VersionStats>;

Json quantile(const telemetry::Sketch& sketch, double q) {
    return sketch.count() ? Json(sketch.quantile(q)) : Json(nullptr);
}

Json version_json(const std::pair<std::string, std::int64_t>& key, const VersionStats& stats) {
    using telemetry::Outcome;
    const telemetry::CellCounts& c = stats.counts;
    const auto outcome = [&](Outcome o) { return c.inferences[static_cast<int>(o)]; };
    std::uint64_t runs = 0, failed_updates = 0;
    for (const std::uint64_t n : c.inferences) runs += n;
    for (const std::uint64_t n : c.updates) failed_updates += n;
    const std::uint64_t installed =
        c.updates[static_cast<int>(telemetry::UpdateOutcome::installed)];
    return {{"model", key.first},
            {"version", key.second},
            {"size_bytes", stats.size_bytes},
            {"runs", runs},
            {"success", outcome(Outcome::success)},
            {"failure", outcome(Outcome::failure)},
            {"cancelled", outcome(Outcome::cancelled)},
            {"aborted", outcome(Outcome::aborted)},
            {"p50_us", quantile(c.latency_us, 0.5)},
            {"p95_us", quantile(c.latency_us, 0.95)},
            {"load_p50_us", quantile(c.load_us, 0.5)},
            {"first_p50_us", quantile(c.first_inference_us, 0.5)},
            {"peak_memory_bytes", c.peak_memory_bytes},
            {"installed", installed},
            {"update_failures", failed_updates - installed},
            {"reports", stats.reports}};
}

void stats(Services& services, const Call& call, const Reply& reply) {
    const auto cells = read_stats(*services.ledger, call.project);
    if (!cells.ok()) return reply(storage_failure(cells.error(), "reading stats"));
    StatsByVersion versions;
    for (const StatCell& stat : *cells) {
        VersionStats& sum = versions[{stat.cell.key.model, stat.cell.key.version}];
        sum.counts.merge(stat.cell.counts);
        sum.reports = stat.reports;
    }
    if (const auto project = services.existing_project(call.project))
        if (const auto published = project->published(); published.ok())
            for (const auto& [key, bytes] : (*published)->sizes) versions[key].size_bytes = bytes;
    Json models = Json::array();
    for (const auto& [key, sum] : versions) models.push_back(version_json(key, sum));
    reply(json_response(200, {{"project", call.project}, {"models", std::move(models)}}));
}

}  // namespace

void add_report_routes(std::vector<Route>& routes, Services& services) {
    routes.push_back(
        {.method = "POST",
         .pattern = "/v1/projects/{project}/reports",
         .scopes = {"report"},
         .max_body_bytes = json_body_bytes,
         .answer = [&services](Call call, Reply reply) { take_report(services, call, reply); }});
    routes.push_back(
        {.method = "GET",
         .pattern = "/v1/projects/{project}/stats",
         .scopes = {"read", "publish"},
         .answer = [&services](Call call, Reply reply) { stats(services, call, reply); }});
}

}  // namespace skiff::server
