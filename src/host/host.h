// What the device library needs from the world: time, HTTP, power, network. host/linux and
// host/scripted implement it, the C interface lets an app do so. All members are called from any
// thread; implementations lock for themselves.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"

namespace skiff::host {

class Clock {
 public:
    virtual ~Clock() = default;
    virtual std::int64_t unix_ms() = 0;       // the wall clock: may jump
    virtual std::int64_t monotonic_ns() = 0;  // never goes back; what latencies are measured with
    virtual int minutes_of_local_day() = 0;   // 0..1439 in the device's time zone, for time windows
};

struct HttpRequest {
    std::string method = "GET";
    std::string url;  // http, https or file
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
    std::int64_t timeout_ms = 30'000;     // without a byte arriving
    std::uint64_t max_bytes = 16u << 20;  // a longer body is Code::resource_exhausted
    // Once it is true, the request ends within a second or so with Code::cancelled, also when no
    // byte arrives. Null: it cannot be stopped so. Outlives the request.
    const std::atomic<bool>* stops = nullptr;
    // Called by send(), now and then, with how many bytes of `body` have gone out. A host need not.
    std::function<void(std::uint64_t)> on_sent = {};
};

struct HttpResponse {
    int status = 0;                                                 // file URLs: 200, 206 or 404
    std::vector<std::pair<std::string, std::string>> headers = {};  // names in lower case
    std::uint64_t bytes_on_wire =
        0;  // request and response, headers included; TLS estimated where not known

    std::string_view header(std::string_view lower_case_name) const {
        for (const auto& [name, value] : headers)
            if (name == lower_case_name) return value;
        return {};
    }
};

class Http {
 public:
    virtual ~Http() = default;
    // Sends and gives the body to `on_body` piece by piece as it comes (before the return, also for
    // error statuses; `so_far` has status and headers). `on_body` returns false to stop:
    // Code::cancelled. Errors: Code::no_network (retry) when nothing could be reached,
    // Code::deadline_exceeded (retry), Code::data_loss (retry) when the body is shorter than it
    // said. A status of 400 and more is not an error here.
    virtual Result<HttpResponse> send(
        const HttpRequest& request,
        FunctionRef<bool(const HttpResponse& so_far, Bytes)> on_body) = 0;
};

// A fact about the device and where it was read, for `why` and for support: "charging: yes
// (/sys/class/power_supply/BAT0)".
template <typename T>
struct Fact {
    std::optional<T> value = {};  // empty: this system cannot tell
    std::string source = {};
};

struct PowerState {
    Fact<bool> charging;        // on external power
    Fact<int> battery_percent;  // 0..100; a device without battery: charging, no percent
    Fact<bool> idle;            // nobody uses the device now
};
class Power {
 public:
    virtual ~Power() = default;
    virtual PowerState power() = 0;
};

struct NetworkState {
    Fact<bool> online;
    Fact<bool>
        metered;  // what costs money per byte; wifi in our conditions means online and not metered
};
class Network {
 public:
    virtual ~Network() = default;
    virtual NetworkState network() = 0;
};

// Members are shared with the client for its life. `http` may be null (SKIFF_HOST=none and an app
// that gives none): then nothing is ever fetched, and everything else works.
struct Host {
    std::shared_ptr<Clock> clock;
    std::shared_ptr<Http> http;
    std::shared_ptr<Power> power;
    std::shared_ptr<Network> network;
};

// This system: libcurl, sysfs, D-Bus where it answers. Null members where the build has none
// (SKIFF_HOST=none).
Host system_host();

}  // namespace skiff::host
