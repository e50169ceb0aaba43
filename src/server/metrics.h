// What /metrics shows, in Prometheus' text form. The names are an interface: tests/server keeps a
// list of them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace skiff::server {

// Any thread.
class Metrics {
 public:
    void count_request(const std::string& route, const std::string& method, int status,
                       double seconds);
    void count_report(const std::string& result);       // "fresh", "duplicate", "refused"
    void count_publication(const std::string& result);  // "taken", "outdated", "refused"

    struct Gauge {
        std::string name, help;
        std::vector<std::pair<std::string, double>> values;  // labels ("{project=\"a\"}") -> value
    };
    std::string text(const std::vector<Gauge>& gauges) const;

 private:
    static constexpr std::array<double, 8> bounds_s = {0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60};
    struct Durations {
        std::array<std::uint64_t, bounds_s.size() + 1> counts{};
        double sum_s = 0;
    };

    mutable std::mutex mutex_;
    std::map<std::string, std::uint64_t> requests_, reports_, publications_;  // by labels
    std::map<std::string, Durations> durations_;                              // by route
};

}  // namespace skiff::server
