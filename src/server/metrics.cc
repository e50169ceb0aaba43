#include "server/metrics.h"

#include <algorithm>
#include <cstdio>

namespace skiff::server {

namespace {

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.15g", value);
    return text;
}

void head(std::string& text, const std::string& name, const std::string& help,
          const std::string& type) {
    text += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

void counters(std::string& text, const std::string& name, const std::string& help,
              const std::map<std::string, std::uint64_t>& values) {
    head(text, name, help, "counter");
    for (const auto& [labels, count] : values)
        text += name + "{" + labels + "} " + std::to_string(count) + "\n";
}

}  // namespace

void Metrics::count_request(const std::string& route, const std::string& method, int status,
                            double seconds) {
    const std::string labels =
        "route=\"" + route + "\",method=\"" + method + "\",code=\"" + std::to_string(status) + "\"";
    const auto bucket =
        static_cast<std::size_t>(std::ranges::lower_bound(bounds_s, seconds) - bounds_s.begin());
    const std::lock_guard lock(mutex_);
    ++requests_[labels];
    Durations& durations = durations_[route];
    ++durations.counts[bucket];
    durations.sum_s += seconds;
}

void Metrics::count_report(const std::string& result) {
    const std::lock_guard lock(mutex_);
    ++reports_["result=\"" + result + "\""];
}

void Metrics::count_publication(const std::string& result) {
    const std::lock_guard lock(mutex_);
    ++publications_["result=\"" + result + "\""];
}

std::string Metrics::text(const std::vector<Gauge>& gauges) const {
    std::string text;
    const std::lock_guard lock(mutex_);
    counters(text, "skiff_http_requests_total",
             "Requests by route, method and status; 0: the client went away.", requests_);
    const std::string seconds = "skiff_http_request_seconds";
    head(text, seconds, "From a request's head to the end of its answer.", "histogram");
    for (const auto& [route, durations] : durations_) {
        const std::string label = "route=\"" + route + "\"";
        std::uint64_t below = 0;
        for (std::size_t i = 0; i <= bounds_s.size(); ++i) {
            below += durations.counts[i];
            const std::string bound = i < bounds_s.size() ? number(bounds_s[i]) : "+Inf";
            text += seconds + "_bucket{" + label + ",le=\"" + bound + "\"} " +
                    std::to_string(below) + "\n";
        }
        text += seconds + "_sum{" + label + "} " + number(durations.sum_s) + "\n";
        text += seconds + "_count{" + label + "} " + std::to_string(below) + "\n";
    }
    counters(text, "skiff_reports_total", "Reports of devices by what became of them.", reports_);
    counters(text, "skiff_publications_total", "Publications by what became of them.",
             publications_);
    for (const Gauge& gauge : gauges) {
        head(text, gauge.name, gauge.help, "gauge");
        for (const auto& [labels, value] : gauge.values)
            text += gauge.name + labels + " " + number(value) + "\n";
    }
    return text;
}

}  // namespace skiff::server
