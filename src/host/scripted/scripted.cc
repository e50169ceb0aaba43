#include "host/scripted/scripted.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/files.h"
#include "base/hex.h"
#include "base/sha256.h"

namespace skiff::host {

void ScriptedClock::advance_ms(std::int64_t ms) {
    std::lock_guard lock(mutex_);
    unix_ms_ += ms;
    monotonic_ns_ += ms * 1'000'000;
}
void ScriptedClock::jump_to(std::int64_t unix_ms) {
    std::lock_guard lock(mutex_);
    unix_ms_ = unix_ms;
}
std::int64_t ScriptedClock::unix_ms() {
    std::lock_guard lock(mutex_);
    return unix_ms_;
}
std::int64_t ScriptedClock::monotonic_ns() {
    std::lock_guard lock(mutex_);
    return monotonic_ns_;
}
int ScriptedClock::minutes_of_local_day() {
    return static_cast<int>(unix_ms() / 60'000 % (24 * 60));
}

Result<HttpResponse> ScriptedHttp::send(const HttpRequest& request,
                                        FunctionRef<bool(const HttpResponse&, Bytes)> on_body) {
    {
        std::lock_guard lock(mutex_);
        requests_.push_back(request);
    }
    const Answer answer = TRY(handler_(request));
    HttpResponse response;
    response.status = answer.status;
    response.headers = answer.headers;
    response.bytes_on_wire = request.body.size() + answer.body.size() + 300;
    const std::size_t length = std::min(answer.body.size(), answer.cut_after);
    constexpr std::size_t piece = 16 << 10;
    for (std::size_t at = 0; at < length; at += piece) {
        if (at + std::min(piece, length - at) > request.max_bytes)
            return error(
                Code::resource_exhausted,
                request.url + ": is longer than " + std::to_string(request.max_bytes) + " bytes");
        if (!on_body(
                response,
                as_bytes(std::string_view(answer.body).substr(at, std::min(piece, length - at)))))
            return error(Code::cancelled, request.url + ": stopped");
    }
    if (length < answer.body.size())
        return retryable(Code::data_loss, request.url + ": the connection broke");
    return response;
}

std::vector<HttpRequest> ScriptedHttp::requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
}
void ScriptedHttp::forget_requests() {
    std::lock_guard lock(mutex_);
    requests_.clear();
}

void ScriptedPower::set(bool charging, int battery_percent, bool idle) {
    std::lock_guard lock(mutex_);
    state_ = {{charging, "script"}, {battery_percent, "script"}, {idle, "script"}};
}
PowerState ScriptedPower::power() {
    std::lock_guard lock(mutex_);
    return state_;
}

void ScriptedNetwork::set(bool online, bool metered) {
    std::lock_guard lock(mutex_);
    state_ = {{online, "script"}, {metered, "script"}};
}
NetworkState ScriptedNetwork::network() {
    std::lock_guard lock(mutex_);
    return state_;
}

namespace {

std::string_view header_of(const HttpRequest& request, std::string_view name) {
    for (const auto& [key, value] : request.headers)
        if (std::equal(key.begin(), key.end(), name.begin(), name.end(),
                       [](char a, char b) { return std::tolower(a) == std::tolower(b); }))
            return value;
    return {};
}

ScriptedHttp::Answer serve(const HttpRequest& request, std::string body) {
    const std::string etag = "\"" + sha256_hex(as_bytes(body)).substr(0, 16) + "\"";
    ScriptedHttp::Answer answer{200, {{"etag", etag}}, std::move(body)};
    if (header_of(request, "if-none-match") == etag) return {304, {{"etag", etag}}, ""};
    const std::string_view range = header_of(request, "range"),
                           if_range = header_of(request, "if-range");
    if (range.starts_with("bytes=") && (if_range.empty() || if_range == etag)) {
        std::size_t from = 0;
        std::from_chars(range.data() + 6, range.data() + range.size(), from);
        if (from >= answer.body.size()) return {416, {}, ""};
        answer.headers.push_back({"content-range", "bytes " + std::to_string(from) + "-" +
                                                       std::to_string(answer.body.size() - 1) +
                                                       "/" + std::to_string(answer.body.size())});
        answer.body.erase(0, from);
        answer.status = 206;
    }
    return answer;
}

}  // namespace

ScriptedHttp::Handler serve_folder(const std::string& folder, const std::string& prefix) {
    return [folder, prefix](const HttpRequest& request) -> Result<ScriptedHttp::Answer> {
        if (!request.url.starts_with(prefix))
            return retryable(Code::no_network, request.url + ": cannot be reached");
        auto body = read_file(folder + request.url.substr(prefix.size()));
        if (!body.ok()) return ScriptedHttp::Answer{404, {}, "not found"};
        return serve(request, std::move(body).value());
    };
}

}  // namespace skiff::host
