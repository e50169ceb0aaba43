// skiff/host.h: the world as an app brings it. On Linux libskiff reads all of it from the system;
// give only what you want otherwise (a scripted clock in tests, the platform's HTTP).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <skiff/base.h>
#include <skiff/c_host.h>

namespace skiff {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method, url;
    HttpHeaders headers;
    Bytes body;                         // lives until the function returns
    std::chrono::milliseconds timeout;  // without a byte arriving
    std::uint64_t max_bytes = 0;        // the client stops a longer answer
};

// Where an app's HTTP puts its answer: begin() once, then body() piece by piece.
class HttpResponse {
 public:
    explicit HttpResponse(skiff_http_response* handle) : handle_(handle) {}
    // bytes_on_wire: what request and headers cost where the app knows it, else the library
    // estimates.
    void begin(int status, const HttpHeaders& headers, std::uint64_t bytes_on_wire = 0) {
        std::vector<skiff_http_header> list;
        for (const auto& [name, value] : headers) list.push_back({name.c_str(), value.c_str()});
        skiff_http_response_begin(handle_, status, list.data(), list.size(), bytes_on_wire);
    }
    // False: the client wants no more; drop the connection and return any error.
    bool body(Bytes piece) {
        return skiff_http_response_body(handle_, piece.data(), piece.size()) != 0;
    }

 private:
    skiff_http_response* handle_;
};

// Facts that are not given are unknown. `source`: for people, where they were read.
struct PowerState {
    std::optional<bool> charging;
    std::optional<int> battery_percent;
    std::optional<bool> idle;
    std::string source;
};
struct NetworkState {
    std::optional<bool> online, metered;
    std::string source;
};

// A function that is empty: the system's. The three of the clock go together. All are called from
// any thread, several at a time; they must not call the client and must not throw.
struct Host {
    std::function<std::int64_t()> unix_ms, monotonic_ns;
    std::function<int()> minutes_of_local_day;
    // Waits for the whole answer; ok for any HTTP status. Errors: no_network, deadline_exceeded,
    // data_loss (the body broke off), with retry.
    std::function<Status(const HttpRequest&, HttpResponse&)> http;
    std::function<PowerState()> power;
    std::function<NetworkState()> network;
};

namespace detail {

inline void put_text(const std::string& from, char* to, std::size_t size) {
    to[from.copy(to, size - 1)] = 0;
}
template <typename T>
int32_t tri_state(const std::optional<T>& fact) {
    return fact ? static_cast<int32_t>(*fact) : -1;
}

inline int32_t host_http(void* user, const skiff_http_request* r, skiff_http_response* response,
                         skiff_error* e) {
    HttpRequest request;
    request.method = r->method;
    request.url = r->url;
    for (std::size_t i = 0; i < r->header_count; ++i)
        request.headers.emplace_back(r->headers[i].name, r->headers[i].value);
    request.body = {static_cast<const std::uint8_t*>(r->body), r->body_bytes};
    request.timeout = std::chrono::milliseconds(r->timeout_ms);
    request.max_bytes = r->max_bytes;
    HttpResponse answer(response);
    const Status status = static_cast<Host*>(user)->http(request, answer);
    if (status.ok()) return SKIFF_OK;
    e->code = static_cast<int32_t>(status.error().code);
    e->retry = status.error().retry;
    put_text(status.error().message, e->message, sizeof e->message);
    return e->code;
}

// As the C interface takes it; the copy of `host` is released by the library.
inline skiff_host c_host(const Host& host) {
    skiff_host c{};
    c.size = sizeof c;
    c.user = new Host(host);
    c.release = [](void* user) { delete static_cast<Host*>(user); };
    if (host.unix_ms) c.unix_ms = [](void* user) { return static_cast<Host*>(user)->unix_ms(); };
    if (host.monotonic_ns)
        c.monotonic_ns = [](void* user) { return static_cast<Host*>(user)->monotonic_ns(); };
    if (host.minutes_of_local_day)
        c.minutes_of_local_day = [](void* user) -> int32_t {
            return static_cast<Host*>(user)->minutes_of_local_day();
        };
    if (host.http) c.http_send = host_http;
    if (host.power)
        c.power = [](void* user, skiff_power* out) {
            const PowerState state = static_cast<Host*>(user)->power();
            out->charging = tri_state(state.charging);
            out->battery_percent = tri_state(state.battery_percent);
            out->idle = tri_state(state.idle);
            put_text(state.source, out->source, sizeof out->source);
        };
    if (host.network)
        c.network = [](void* user, skiff_network* out) {
            const NetworkState state = static_cast<Host*>(user)->network();
            out->online = tri_state(state.online);
            out->metered = tri_state(state.metered);
            put_text(state.source, out->source, sizeof out->source);
        };
    return c;
}

}  // namespace detail

}  // namespace skiff
