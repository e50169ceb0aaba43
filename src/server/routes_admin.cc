// For who runs the server: health, readiness, metrics.
#include <array>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "server/answers.h"
#include "server/router.h"
#include "trust/date_time.h"

namespace skiff::server {

namespace {

constexpr std::array<std::uint8_t, 64 * 1024> probe{};

Status storage_works(Services& services) {
    TRY(services.ledger->probe(services.now_s()));
    // Bytes, not an empty file: for that a full disk has room. As a new file each time.
    const std::string file = services.data.uploads() + "/probe";
    return write_file_durably(file, Bytes(probe.data(), probe.size()));
}

// Of each project that was published: when the first of its roles expires.
Json projects_json(Services& services, std::string& expired) {
    Json list = Json::array();
    const auto names = services.data.projects();
    if (!names.ok()) return list;
    for (const std::string& name : *names) {
        const auto published = services.project(name)->published();
        if (!published.ok()) continue;
        const trust::RoleExpiry& first = (*published)->first_to_expire;
        const bool has_key = file_exists(services.data.project(name) + "/online.json");
        const std::string when = trust::date_time_text(first.expires_s);
        list.push_back({{"project", name},
                        {"version", (*published)->version},
                        {"expires_first", first.role},
                        {"expires", when},
                        {"online_key", has_key}});
        if (first.expires_s <= services.now_s() && expired.empty())
            expired = "the metadata of " + name + " is expired: " + first.role + " since " + when +
                      (has_key ? " (sign it again where its key is)"
                               : " (sign it again, or give the server online.json)");
    }
    return list;
}

void ready(Services& services, const Reply& reply) {
    const Status storage = storage_works(services);
    if (!storage.ok()) {  // 503 whatever it is: who asks knows only ready and not ready
        const Error& e = storage.error();
        log(LogLevel::error, "probing storage: " + e.message);
        return reply(error_response(503, "UNAVAILABLE",
                                    e.code == Code::not_enough_space
                                        ? "the server's disk is full (free some space)"
                                        : "the server cannot use its storage (its log says why)"));
    }
    std::string expired;
    const Json projects = projects_json(services, expired);
    if (!expired.empty()) return reply(error_response(503, "UNAVAILABLE", expired));
    reply(json_response(200, {{"ready", true}, {"projects", projects}}));
}

void metrics(Services& services, int connections, const Reply& reply) {
    Metrics::Gauge expiry{"skiff_timestamp_expiry_seconds",
                          "Unix time at which a project's timestamp.json expires.",
                          {}};
    Metrics::Gauge version{"skiff_timestamp_version", "Version of a project's timestamp.json.", {}};
    if (const auto names = services.data.projects(); names.ok())
        for (const std::string& name : *names)
            if (const auto published = services.project(name)->published(); published.ok()) {
                const std::string labels = "{project=\"" + name + "\"}";
                expiry.values.emplace_back(labels,
                                           static_cast<double>((*published)->timestamp_expires_s));
                version.values.emplace_back(labels, static_cast<double>((*published)->version));
            }
    const Metrics::Gauge open{
        "skiff_connections", "Connections that are open.", {{"", connections}}};
    const Metrics::Gauge waiting{"skiff_waiting_requests",
                                 "Requests that wait for a version.",
                                 {{"", static_cast<double>(services.waiters.count())}}};
    reply({200,
           {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
           services.metrics.text({expiry, version, open, waiting})});
}

}  // namespace

void add_admin_routes(std::vector<Route>& routes, Services& services,
                      const std::function<int()>& connections) {
    routes.push_back(
        {.method = "GET", .pattern = "/healthz", .answer = [](const Call&, const Reply& reply) {
             reply(json_response(200, {{"ok", true}}));
         }});
    routes.push_back(
        {.method = "GET",
         .pattern = "/readyz",
         .answer = [&services](const Call&, const Reply& reply) { ready(services, reply); }});
    routes.push_back({.method = "GET",
                      .pattern = "/metrics",
                      .answer = [&services, connections](const Call&, const Reply& reply) {
                          metrics(services, connections(), reply);
                      }});
}

}  // namespace skiff::server
