#include "api/host.h"

#include <algorithm>
#include <vector>

#include "api/error.h"
#include "api/values.h"

// What http_send is given to answer into.
struct skiff_http_response {
    const skiff::host::HttpRequest& request;
    skiff::FunctionRef<bool(const skiff::host::HttpResponse&, skiff::Bytes)> on_body;
    skiff::host::HttpResponse answer = {};
    std::uint64_t body_bytes = 0;
    bool begun = false, stopped = false, too_long = false;
};

namespace skiff::api {
namespace {

// The functions and their user, which lives as long as any object that calls them.
struct Functions {
    skiff_host table;
    User user;
};

class AppClock final : public host::Clock {
 public:
    explicit AppClock(Functions app) : app_(std::move(app)) {}
    std::int64_t unix_ms() override { return app_.table.unix_ms(app_.user.get()); }
    std::int64_t monotonic_ns() override { return app_.table.monotonic_ns(app_.user.get()); }
    int minutes_of_local_day() override {
        return std::clamp(app_.table.minutes_of_local_day(app_.user.get()), 0, 24 * 60 - 1);
    }

 private:
    const Functions app_;
};

// Request line, headers and what HTTP and TLS put around them: what an app that does not count is
// taken to have sent.
std::uint64_t estimated_overhead(const host::HttpRequest& request) {
    std::uint64_t bytes = 300 + request.url.size();
    for (const auto& [name, value] : request.headers) bytes += name.size() + value.size() + 4;
    return bytes;
}

class AppHttp final : public host::Http {
 public:
    explicit AppHttp(Functions app) : app_(std::move(app)) {}

    Result<host::HttpResponse> send(
        const host::HttpRequest& request,
        FunctionRef<bool(const host::HttpResponse&, Bytes)> on_body) override {
        std::vector<skiff_http_header> headers;
        for (const auto& [name, value] : request.headers)
            headers.push_back({name.c_str(), value.c_str()});
        skiff_http_request r{};
        r.size = sizeof r;
        r.method = request.method.c_str();
        r.url = request.url.c_str();
        r.headers = headers.data();
        r.header_count = headers.size();
        r.body = request.body.data();
        r.body_bytes = request.body.size();
        r.timeout_ms = request.timeout_ms;
        r.max_bytes = request.max_bytes;
        skiff_http_response response{request, on_body};
        skiff_error e{};
        const int32_t code = app_.table.http_send(app_.user.get(), &r, &response, &e);
        return finish(request, response, code, e);
    }

 private:
    static Result<host::HttpResponse> finish(const host::HttpRequest& request,
                                             skiff_http_response& response, int32_t code,
                                             const skiff_error& e) {
        if (response.too_long)
            return error(Code::resource_exhausted, request.url + ": is longer than the " +
                                                       std::to_string(request.max_bytes) +
                                                       " bytes expected");
        if (response.stopped) return error(Code::cancelled, request.url + ": stopped");
        if (code != SKIFF_OK)
            return Error{static_cast<Code>(code),
                         request.url + ": " + (e.message[0] ? e.message : "the app's http failed"),
                         e.retry != 0};
        if (!response.begun)
            return error(Code::internal, request.url +
                                             ": the app's http_send gave no status (call "
                                             "skiff_http_response_begin)");
        response.answer.bytes_on_wire += request.body.size() + response.body_bytes;
        return std::move(response.answer);
    }

    const Functions app_;
};

class AppPower final : public host::Power {
 public:
    explicit AppPower(Functions app) : app_(std::move(app)) {}
    host::PowerState power() override {
        skiff_power p{};
        p.size = sizeof p;
        p.charging = p.battery_percent = p.idle = -1;
        app_.table.power(app_.user.get(), &p);
        p.source[sizeof p.source - 1] = 0;
        const std::string source = p.source[0] ? p.source : "the app";
        host::PowerState out;
        if (p.charging >= 0) out.charging = {p.charging != 0, source};
        if (p.battery_percent >= 0)
            out.battery_percent = {std::min(p.battery_percent, 100), source};
        if (p.idle >= 0) out.idle = {p.idle != 0, source};
        return out;
    }

 private:
    const Functions app_;
};

class AppNetwork final : public host::Network {
 public:
    explicit AppNetwork(Functions app) : app_(std::move(app)) {}
    host::NetworkState network() override {
        skiff_network n{};
        n.size = sizeof n;
        n.online = n.metered = -1;
        app_.table.network(app_.user.get(), &n);
        n.source[sizeof n.source - 1] = 0;
        const std::string source = n.source[0] ? n.source : "the app";
        host::NetworkState out;
        if (n.online >= 0) out.online = {n.online != 0, source};
        if (n.metered >= 0) out.metered = {n.metered != 0, source};
        return out;
    }

 private:
    const Functions app_;
};

}  // namespace

Result<host::Host> make_host(const skiff_host* from) {
    host::Host made = host::system_host();
    if (!from) return made;
    skiff_host table{};
    if (!read_versioned(from, &table, sizeof table))
        return error(Code::invalid_argument, "set the size of skiff_host");
    const Functions app{table, take_user(table.user, table.release)};
    const int clocks = (table.unix_ms != nullptr) + (table.monotonic_ns != nullptr) +
                       (table.minutes_of_local_day != nullptr);
    if (clocks != 0 && clocks != 3)
        return error(Code::invalid_argument,
                     "skiff_host: give all three functions of the clock, or none");
    if (clocks == 3) made.clock = std::make_shared<AppClock>(app);
    if (table.http_send) made.http = std::make_shared<AppHttp>(app);
    if (table.power) made.power = std::make_shared<AppPower>(app);
    if (table.network) made.network = std::make_shared<AppNetwork>(app);
    return made;
}

}  // namespace skiff::api

void skiff_http_response_begin(skiff_http_response* response, int32_t status,
                               const skiff_http_header* headers, size_t header_count,
                               uint64_t bytes_on_wire) {
    response->begun = true;
    response->answer.status = status;
    response->answer.headers.clear();  // of an interim answer
    for (size_t i = 0; i < header_count; ++i) {
        std::string name = headers[i].name;
        for (char& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        response->answer.headers.emplace_back(std::move(name), headers[i].value);
    }
    response->answer.bytes_on_wire =
        bytes_on_wire ? bytes_on_wire : skiff::api::estimated_overhead(response->request);
}

int32_t skiff_http_response_body(skiff_http_response* response, const void* data, size_t bytes) {
    if (response->stopped || response->too_long) return 0;
    response->body_bytes += bytes;
    response->too_long = response->body_bytes > response->request.max_bytes;
    if (response->too_long) return 0;
    response->stopped =
        !response->on_body(response->answer, {static_cast<const std::uint8_t*>(data), bytes});
    return !response->stopped;
}
