#include "host/std_clock.h"

#include <chrono>
#include <ctime>

namespace skiff::host {

namespace {

class StdClock final : public Clock {
 public:
    std::int64_t unix_ms() override {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
    }
    std::int64_t monotonic_ns() override {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(
                   std::chrono::steady_clock::now().time_since_epoch())
            .count();
    }
    int minutes_of_local_day() override {
        const std::time_t now = std::time(nullptr);
        std::tm local{};
        localtime_r(&now, &local);
        return local.tm_hour * 60 + local.tm_min;
    }
};

}  // namespace

std::shared_ptr<Clock> std_clock() {
    return std::make_shared<StdClock>();
}

}  // namespace skiff::host
