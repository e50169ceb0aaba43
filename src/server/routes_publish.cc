// What publishers do: the version, targets, publications, the audit.
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "server/answers.h"
#include "server/audit.h"
#include "server/router.h"
#include "server/upload.h"
#include "trust/date_time.h"

namespace skiff::server {

namespace {

constexpr std::int64_t audit_page = 1000;
constexpr std::size_t longest_note = 1000;

bool is_storage_error(Code code) {
    return code == Code::not_enough_space || code == Code::permission_denied ||
           code == Code::unavailable || code == Code::internal || code == Code::data_loss;
}

void version(Services& services, const Call& call, const Reply& reply) {
    const auto project = services.existing_project(call.project);
    const auto now = project ? project->version() : Result<std::int64_t>(std::int64_t{0});
    if (!now.ok()) return reply(storage_failure(now.error(), "reading a version"));
    if (*now == 0)
        return reply(
            error_response(404, "NOT_FOUND", "nothing is published in " + call.project + " yet"));
    Response response = json_response(200, {{"project", call.project}, {"version", *now}});
    response.headers.emplace_back("ETag", "\"" + std::to_string(*now) + "\"");
    response.headers.emplace_back("Cache-Control", "no-cache");
    reply(std::move(response));
}

Response target_response(int status, const std::string& path) {
    return json_response(status, {{"path", path}});
}

// The reason is for the log; whoever sends can do nothing about it.
Status in_our_words(const Status& written) {
    if (written.ok()) return written;
    log(LogLevel::error, "receiving a target: " + written.error().message);
    const bool full = written.error().code == Code::not_enough_space;
    return error(written.error().code,
                 full ? "the server's disk is full, nothing was taken (try again later)"
                      : "the server cannot use its storage, nothing was taken (try again later)");
}

Intake receive_target(Services& services, const Call& call) {
    Intake intake;
    const auto rest = percent_decoded(call.rest);
    const std::string path = "targets/" + rest.value_or("");
    const auto hash = publish::hash_of_target_file(path);
    if (!hash.ok()) {
        intake.refusal = error_response(hash.error());
        return intake;
    }
    const std::string root = services.data.path();
    const std::string file = services.project(call.project)->tree() + "/" + path;
    intake.max_body_bytes = target_body_bytes;
    if (file_exists(file)) {
        // A client that asks first is spared the sending; another one is heard out.
        if (call.request.header("expect") == "100-continue")
            intake.refusal = target_response(200, path);
        intake.take = [](Bytes) { return Status(); };
        intake.answer = [path](const Request&, const Reply& reply) {
            reply(target_response(200, path));
        };
        return intake;
    }
    auto begun = Upload::begin(services.data.uploads());
    if (!begun.ok()) {
        intake.refusal = storage_failure(begun.error(), "receiving a target");
        return intake;
    }
    const std::shared_ptr<Upload> upload = std::move(*begun);
    intake.take = [upload](Bytes bytes) { return in_our_words(upload->write(bytes)); };
    intake.answer = [upload, hash = *hash, root, file, path](const Request&, const Reply& reply) {
        const Status done = upload->finish(hash, root, file);
        if (done.ok()) return reply(target_response(201, path));
        reply(is_storage_error(done.error().code)
                  ? storage_failure(done.error(), "keeping a target")
                  : error_response(done.error()));
    };
    return intake;
}

// If-Match: "12", or If-None-Match: * for 0.
Result<std::int64_t> base_of(const Request& request) {
    if (request.header("if-none-match") == "*") return std::int64_t{0};
    std::string_view tag = request.header("if-match");
    if (tag.size() > 2 && tag.front() == '"' && tag.back() == '"')
        if (const auto base = whole_number(tag.substr(1, tag.size() - 2)); base && *base > 0)
            return *base;
    return error(Code::invalid_argument,
                 "say which version the publication was made on: If-Match: \"12\", or "
                 "If-None-Match: * for the first");
}

Result<publish::Publication> publication_of(const Request& request) {
    publish::Publication publication;
    publication.base = TRY(base_of(request));
    const Json body = TRY(parse_json(request.body, "publication"));
    for (const Json& file : *TRY(json_array(body, "files", "publication"))) {
        std::string path = TRY(json_string(file, "path", "publication file"));
        std::string text = TRY(json_string(file, "text", "publication file"));
        publication.files.push_back({std::move(path), std::move(text)});
    }
    if (!body.contains("audit")) return publication;
    for (const Json& note : *TRY(json_array(body, "audit", "publication"))) {
        publish::AuditNote entry;
        entry.what = TRY(json_string(note, "what", "publication audit"));
        entry.subject = TRY(json_string(note, "subject", "publication audit"));
        entry.why = TRY(json_string(note, "why", "publication audit"));
        if (entry.what.size() + entry.subject.size() + entry.why.size() > longest_note)
            return error(Code::invalid_argument, "an audit note is longer than 1,000 bytes");
        publication.audit.push_back(std::move(entry));
    }
    return publication;
}

void publish_now(Services& services, const Call& call, const Reply& reply) {
    const auto publication = publication_of(call.request);
    if (!publication.ok()) {
        services.metrics.count_publication("refused");
        return reply(error_response(publication.error()));
    }
    const auto project = services.project(call.project);
    const Status done = project->publish(*publication, call.token->who(), services.now_s());
    const auto now = project->version();
    if (done.ok() && now.ok()) {
        services.metrics.count_publication("taken");
        log(LogLevel::info, "project " + call.project + ": version " + std::to_string(*now) +
                                " published by " + call.token->who());
        services.waiters.published(call.project, *now);
        return reply(json_response(200, {{"version", *now}}));
    }
    const Error e = done.ok() ? now.error() : done.error();
    services.metrics.count_publication(e.code == Code::aborted ? "outdated" : "refused");
    if (is_storage_error(e.code)) return reply(storage_failure(e, "taking a publication"));
    if (e.code == Code::not_found)  // a file that the publication should have brought along
        return reply(
            error_response(error(Code::invalid_argument, without_paths(e, services).message)));
    reply(error_response(without_paths(e, services)));
}

void audit(Services& services, const Call& call, const Reply& reply) {
    const std::string_view text = call.request.query_value("after");
    const auto after = text.empty() ? std::optional<std::int64_t>(0) : whole_number(text);
    if (!after) return reply(error_response(400, "INVALID_ARGUMENT", "\"after\" is an entry's id"));
    const auto entries = read_audit(*services.ledger, call.project, *after, audit_page);
    if (!entries.ok()) return reply(storage_failure(entries.error(), "reading the audit"));
    Json list = Json::array();
    for (const AuditEntry& entry : *entries)
        list.push_back({{"id", entry.id},
                        {"when", trust::date_time_text(entry.at_s)},
                        {"who", entry.who},
                        {"what", entry.what},
                        {"subject", entry.subject},
                        {"why", entry.why}});
    reply(json_response(200, {{"entries", std::move(list)}}));
}

}  // namespace

void add_publish_routes(std::vector<Route>& routes, Services& services) {
    routes.push_back(
        {.method = "GET",
         .pattern = "/v1/projects/{project}",
         .scopes = {"publish", "read"},
         .answer = [&services](Call call, Reply reply) { version(services, call, reply); }});
    routes.push_back({.method = "PUT",
                      .pattern = "/v1/projects/{project}/targets/...",
                      .scopes = {"publish"},
                      .begin = [&services](Call call) { return receive_target(services, call); }});
    routes.push_back(
        {.method = "POST",
         .pattern = "/v1/projects/{project}/publications",
         .scopes = {"publish"},
         .max_body_bytes = json_body_bytes,
         .answer = [&services](Call call, Reply reply) { publish_now(services, call, reply); }});
    routes.push_back(
        {.method = "GET",
         .pattern = "/v1/projects/{project}/audit",
         .scopes = {"publish", "read"},
         .answer = [&services](Call call, Reply reply) { audit(services, call, reply); }});
}

}  // namespace skiff::server
