#include "cli/remote/http_home.h"

#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "base/url.h"
#include "trust/metadata.h"

namespace skiff::cli {

namespace {

// All else is as short as HttpRequest::max_bytes wants it: no server fills a publisher's memory.
constexpr std::uint64_t max_target_bytes = std::uint64_t{2} << 30;  // as a server takes
constexpr std::string_view targets_folder = "targets/";

// "message" of Firebase's form of errors, or nothing.
std::string message_of(const std::string& body) {
    const auto json = parse_json(body, "the answer");
    if (!json.ok() || !json->is_object() || !json->contains("error")) return {};
    const Json& problem = (*json)["error"];
    if (!problem.is_object()) return {};
    const auto message = json_string(problem, "message", "the answer");
    return message.ok() ? *message : std::string();
}

Code code_of(int status) {
    switch (status) {
        case 400:
            return Code::invalid_argument;
        case 401:
            return Code::unauthenticated;
        case 403:
            return Code::permission_denied;
        case 404:
            return Code::not_found;
        case 409:
        case 412:
            return Code::aborted;
        case 413:
        case 429:
            return Code::resource_exhausted;
        case 507:
            return Code::not_enough_space;
        default:
            return Code::unavailable;
    }
}

}  // namespace

std::string HttpHome::describe() const {
    return display_url(context_.url) + "/p/" + context_.project;
}

std::string HttpHome::static_url(const std::string& path) const {
    return context_.url + "/p/" + context_.project + "/" + trust::quote_path(path);
}

std::string HttpHome::api_url() const {
    return context_.url + "/v1/projects/" + context_.project;
}

Result<HttpHome::Reply> HttpHome::send(host::HttpRequest request, Door door) {
    if (door == Door::token && !context_.token.empty())
        request.headers.emplace_back("Authorization", "Bearer " + context_.token);
    Reply reply;
    const auto response = TRY(http_->send(request, [&](const host::HttpResponse&, Bytes bytes) {
        reply.body += as_text(bytes);
        return true;
    }));
    reply.status = response.status;
    return reply;
}

Error HttpHome::refused(const Reply& reply, const std::string& what) const {
    const Code code = code_of(reply.status);
    std::string message = describe() + ": " + what + ": ";
    if (code == Code::unauthenticated)
        return error(code, message + "the token is " +
                               (context_.token.empty() ? "absent" : "not one of this project") +
                               " (skiff login " + display_url(context_.url) + " --project " +
                               context_.project + ")");
    const std::string said = message_of(reply.body);
    message += said.empty() ? "the server answers " + std::to_string(reply.status) : said;
    const bool retry = code == Code::aborted || code == Code::unavailable || reply.status == 429;
    return retry ? retryable(code, std::move(message)) : error(code, std::move(message));
}

Result<std::int64_t> HttpHome::version() {
    // With a token its page, so that a wrong one is found before anything is sent.
    if (context_.token.empty()) {
        const auto bytes = read("metadata/timestamp.json");
        if (!bytes.ok() && bytes.error().code == Code::not_found) return std::int64_t{0};
        if (!bytes.ok()) return bytes.error();
        return TRY(trust::parse_timestamp(*bytes, describe())).version;
    }
    const Reply reply = TRY(send({.url = api_url()}, Door::token));
    // Anything may answer 404; only a Skiff server says that the project has not begun.
    if (reply.status == 404 && message_of(reply.body).starts_with("nothing is published"))
        return std::int64_t{0};
    const auto page = parse_json(reply.body, describe());
    const bool is_ours = page.ok() && page->is_object() &&
                         (page->contains("version") || !message_of(reply.body).empty());
    if (reply.status == 404 || (reply.status == 200 && !is_ours))
        return error(Code::not_found, display_url(context_.url) +
                                          " is no Skiff server: it answers " +
                                          std::to_string(reply.status) +
                                          " (give the URL that skiff serve is reached at)");
    if (reply.status != 200) return refused(reply, "reading the version");
    return json_int(*page, "version", describe());
}

Result<std::string> HttpHome::read(const std::string& path) {
    host::HttpRequest request{.url = static_url(path)};
    if (path.starts_with(targets_folder)) request.max_bytes = max_target_bytes;
    Reply reply = TRY(send(std::move(request), Door::open));
    if (reply.status != 200) return refused(reply, "reading " + path);
    return std::move(reply.body);
}

Result<bool> HttpHome::exists(const std::string& path) {
    const Reply reply = TRY(send({.method = "HEAD", .url = static_url(path)}, Door::open));
    if (reply.status == 404) return false;
    if (reply.status != 200) return refused(reply, "looking for " + path);
    return true;
}

Status HttpHome::put_target(const std::string& path, Bytes bytes) {
    CHECK(path.starts_with(targets_folder));
    host::HttpRequest request{.method = "PUT", .url = api_url() + "/" + trust::quote_path(path)};
    request.headers.emplace_back("Content-Type", "application/octet-stream");
    request.body = as_text(bytes);
    if (on_upload_)
        request.on_sent = [this, total = bytes.size()](std::uint64_t sent) {
            on_upload_(sent, total);
        };
    const Reply reply = TRY(send(std::move(request), Door::token));
    if (reply.status != 200 && reply.status != 201) return refused(reply, "sending " + path);
    return {};
}

Status HttpHome::take(const publish::Publication& publication) {
    Json files = Json::array(), audit = Json::array();
    for (const publish::MetadataFile& file : publication.files)
        files.push_back({{"path", file.path}, {"text", file.bytes}});
    for (const publish::AuditNote& note : publication.audit)
        audit.push_back({{"what", note.what}, {"subject", note.subject}, {"why", note.why}});
    host::HttpRequest request{.method = "POST", .url = api_url() + "/publications"};
    request.headers.emplace_back("Content-Type", "application/json");
    if (publication.base == 0)
        request.headers.emplace_back("If-None-Match", "*");
    else
        request.headers.emplace_back("If-Match", "\"" + std::to_string(publication.base) + "\"");
    request.body = json_text({{"files", std::move(files)}, {"audit", std::move(audit)}});
    const Reply reply = TRY(send(std::move(request), Door::token));
    if (reply.status != 200 && reply.status != 201) return refused(reply, "publishing");
    return {};
}

Result<std::vector<publish::AuditEntry>> HttpHome::audit() {
    std::vector<publish::AuditEntry> entries;
    std::int64_t after = 0;
    for (;;) {
        const std::string url = api_url() + "/audit?after=" + std::to_string(after);
        const Reply reply = TRY(send({.url = url}, Door::token));
        if (reply.status != 200) return refused(reply, "reading the audit");
        const Json json = TRY(parse_json(reply.body, describe()));
        const Json& page = *TRY(json_array(json, "entries", describe()));
        if (page.empty()) return entries;
        for (const Json& item : page) {
            publish::AuditEntry entry;
            const std::int64_t id = TRY(json_int(item, "id", describe()));
            if (id <= after)
                return error(Code::data_loss, describe() + ": the server repeats entries");
            after = id;
            entry.when = TRY(json_string(item, "when", describe()));
            entry.who = TRY(json_string(item, "who", describe()));
            entry.note.what = TRY(json_string(item, "what", describe()));
            entry.note.subject = TRY(json_string(item, "subject", describe()));
            entry.note.why = TRY(json_string(item, "why", describe()));
            entries.push_back(std::move(entry));
        }
    }
}

Result<std::string> HttpHome::stats() {
    Reply reply = TRY(send({.url = api_url() + "/stats"}, Door::token));
    if (reply.status != 200) return refused(reply, "reading what devices report");
    return std::move(reply.body);
}

}  // namespace skiff::cli
