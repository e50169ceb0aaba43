// A world that a test writes: a clock that moves when told, HTTP answered by a function, power and
// network as set.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "host/host.h"

namespace skiff::host {

class ScriptedClock final : public Clock {
 public:
    explicit ScriptedClock(std::int64_t unix_ms) : unix_ms_(unix_ms) {}
    void advance_ms(std::int64_t ms);
    void jump_to(std::int64_t unix_ms);  // the wall clock alone: the monotonic one goes on
    std::int64_t unix_ms() override;
    std::int64_t monotonic_ns() override;
    int minutes_of_local_day() override;  // UTC

 private:
    std::mutex mutex_;
    std::int64_t unix_ms_, monotonic_ns_ = 0;
};

// Answers requests by a function; counts them.
class ScriptedHttp final : public Http {
 public:
    struct Answer {
        int status = 200;
        std::vector<std::pair<std::string, std::string>> headers = {};
        std::string body = {};
        std::size_t cut_after = SIZE_MAX;  // the connection breaks after so many bytes of the body
    };
    using Handler = std::function<Result<Answer>(const HttpRequest&)>;

    explicit ScriptedHttp(Handler handler) : handler_(std::move(handler)) {}
    Result<HttpResponse> send(const HttpRequest& request,
                              FunctionRef<bool(const HttpResponse&, Bytes)> on_body) override;
    std::vector<HttpRequest> requests() const;
    void forget_requests();

 private:
    const Handler handler_;
    mutable std::mutex mutex_;
    std::vector<HttpRequest> requests_;
};

class ScriptedPower final : public Power {
 public:
    void set(bool charging, int battery_percent, bool idle);
    PowerState power() override;

 private:
    std::mutex mutex_;
    PowerState state_;
};

class ScriptedNetwork final : public Network {
 public:
    void set(bool online, bool metered);
    NetworkState network() override;

 private:
    std::mutex mutex_;
    NetworkState state_;
};

// Answers from a folder as a plain web server would: GET and HEAD, ETag, If-None-Match, Range with
// If-Range. URLs begin with `prefix`; what lies elsewhere is Code::no_network.
ScriptedHttp::Handler serve_folder(const std::string& folder, const std::string& prefix);

}  // namespace skiff::host
