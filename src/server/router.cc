#include "server/router.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/log.h"
#include "server/answers.h"
#include "trust/layout.h"

namespace skiff::server {

namespace {

constexpr std::string_view project_part = "{project}", rest_part = "...";

// Fills `call` when the path fits.
bool matches(std::string_view pattern, std::string_view path, Call& call) {
    while (!pattern.empty() && !path.empty()) {
        if (pattern == rest_part) {
            call.rest = std::string(path);
            return true;
        }
        const std::string_view want = pattern.substr(0, pattern.find('/'));
        const std::string_view have = path.substr(0, path.find('/'));
        if (want == project_part)
            call.project = std::string(have);
        else if (want != have)
            return false;
        const bool ends = want.size() == pattern.size();
        if (ends || have.size() == path.size()) return ends && have.size() == path.size();
        pattern.remove_prefix(want.size() + 1);
        path.remove_prefix(have.size() + 1);
    }
    return false;
}

// By name; strangers' inventions are counted together, or they would fill the memory.
constexpr std::string_view counted_methods[] = {"GET",    "HEAD",    "POST", "PUT",
                                                "DELETE", "OPTIONS", "PATCH"};

bool answers_method(const Route& route, std::string_view method) {
    return route.method == method || (route.method == "GET" && method == "HEAD");
}

Intake refusal(std::string route, Response response) {
    Intake intake;
    intake.route = std::move(route);
    intake.refusal = std::move(response);
    return intake;
}

}  // namespace

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t value = 0;
    const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || status != std::errc() || stop != text.data() + text.size() || value < 0)
        return std::nullopt;
    return value;
}

Error without_paths(Error e, const Services& services) {
    const std::string prefix = services.data.path() + "/";
    for (std::size_t at; (at = e.message.find(prefix)) != std::string::npos;)
        e.message.erase(at, prefix.size());
    return e;
}

Intake Router::begin(const Request& head) {
    std::string allowed;
    for (const Route& route : routes_) {
        Call call;
        const std::string_view path = std::string_view(head.path).substr(!head.path.empty());
        if (!head.path.starts_with('/') ||
            !matches(std::string_view(route.pattern).substr(1), path, call))
            continue;
        if (answers_method(route, head.method)) {
            call.request = head;
            return begin_route(route, std::move(call));
        }
        allowed += (allowed.empty() ? "" : ", ") + route.method;
        if (route.method == "GET") allowed += ", HEAD";
    }
    if (allowed.empty())
        return refusal("none", error_response(404, "NOT_FOUND", "there is nothing at this path"));
    Response response =
        error_response(405, "UNIMPLEMENTED", "this path answers " + allowed + " only");
    response.headers.emplace_back("Allow", allowed);
    return refusal("none", std::move(response));
}

Intake Router::begin_route(const Route& route, Call call) {
    if (route.pattern.find(project_part) != std::string::npos &&
        !trust::is_plain_name(call.project))
        return refusal(route.pattern,
                       error_response(404, "NOT_FOUND", "that is no project's name"));
    if (!route.scopes.empty()) {
        auto token = authorize(route, call);
        if (!token.ok()) {
            const bool ours = token.error().code != Code::unauthenticated &&
                              token.error().code != Code::permission_denied;
            return refusal(route.pattern, ours ? storage_failure(token.error(), "reading tokens")
                                               : error_response(token.error()));
        }
        call.token = std::move(*token);
    }
    Intake intake;
    if (route.begin) {
        intake = route.begin(std::move(call));
    } else {
        intake.max_body_bytes = route.max_body_bytes;
        intake.answer = [&route, call = std::move(call)](Request request, Reply reply) mutable {
            call.request = std::move(request);
            route.answer(std::move(call), std::move(reply));
        };
    }
    intake.route = route.pattern;
    return intake;
}

Result<TokenInfo> Router::authorize(const Route& route, const Call& call) {
    std::string_view header = call.request.header("authorization");
    constexpr std::string_view scheme = "Bearer ";
    if (!header.starts_with(scheme))
        return error(Code::unauthenticated,
                     "this needs a token (Authorization: Bearer ..., made by skiff tokens create)");
    header.remove_prefix(scheme.size());
    const auto token = TRY(find_token(*services_.ledger, header));
    if (!token)
        return error(
            Code::unauthenticated,
            "this token is not known here, or was revoked (skiff tokens create makes one)");
    if (token->project != call.project)
        return error(Code::permission_denied, "this token belongs to another project");
    for (const std::string& scope : route.scopes)
        if (token->has(scope)) return *token;
    std::string needed;
    for (const std::string& scope : route.scopes) needed += (needed.empty() ? "" : " or ") + scope;
    return error(Code::permission_denied, "this needs a token with the scope " + needed);
}

void Router::finished(const Request& head, const std::string& route, int status, double seconds) {
    const bool known = std::ranges::find(counted_methods, head.method) != std::end(counted_methods);
    services_.metrics.count_request(route, known ? head.method : "other", status, seconds);
    char time[32];
    std::snprintf(time, sizeof time, "%.1f ms", seconds * 1e3);
    // The query and the headers stay out of the log: they may hold secrets.
    log(LogLevel::info, head.method.substr(0, 20) + " " + head.path.substr(0, 300) + " " +
                            (status ? std::to_string(status) : "aborted") + " " + time);
}

}  // namespace skiff::server
