#include "device/conditions.h"

#include <cstdio>

namespace skiff::device {

namespace {

// What one condition says: nothing, a fact that is as wished, or what is waited for.
struct Finding {
    bool waits = false;
    std::string text = {};
};

std::string amount(std::uint64_t bytes, bool exact) {
    const bool small = bytes < 1'000'000;
    const double value = static_cast<double>(bytes) / (small ? 1e3 : 1e6);
    char text[32];
    std::snprintf(text, sizeof text, exact ? "%.9g" : "%.1f", value);
    return std::string(text) + (small ? " KB" : " MB");
}

template <typename T>
std::string from(const host::Fact<T>& fact) {
    return fact.source.empty() ? "" : " (" + fact.source + ")";
}

std::string time_of_day(int minute) {
    char text[32];
    std::snprintf(text, sizeof text, "%02d:%02d", minute / 60, minute % 60);
    return text;
}

Finding metered_finding(const DownloadConditions& conditions, const host::Fact<bool>& metered,
                        std::uint64_t bytes, std::uint64_t used) {
    if (!conditions.metered_bytes_per_month && !conditions.wifi) return {};
    const std::string waits = "waits for wifi: this network is metered" + from(metered);
    if (!conditions.metered_bytes_per_month) return {true, waits};
    const std::uint64_t limit = *conditions.metered_bytes_per_month;
    if (limit == 0) return {true, waits + " and may carry nothing"};
    const std::string so_far = amount(used, false) + " of " + amount(limit, true) + from(metered);
    if (used >= limit) return {true, "the metered allowance of this month is used up: " + so_far};
    if (bytes > limit - used)
        return {true, "the metered allowance of this month is too small for " +
                          amount(bytes, false) + ": used are " + so_far};
    return {false, "within the metered allowance of this month: " + so_far};
}

Finding network_finding(const DownloadConditions& conditions, const host::NetworkState& network,
                        std::uint64_t bytes, std::uint64_t used) {
    if (network.online.value == false)
        return {true, "waits for a network: offline" + from(network.online)};
    if (network.metered.value == true)
        return metered_finding(conditions, network.metered, bytes, used);
    if (!conditions.wifi) return {};
    if (network.metered.value == false)
        return {false, "this network is not metered" + from(network.metered)};
    return {false, "nothing says that this network is metered"};
}

Finding charger_finding(const host::PowerState& power) {
    if (power.charging.value == true) return {false, "on external power" + from(power.charging)};
    if (!power.charging.value) return {false, "nothing says whether this device is charging"};
    const std::string percent = power.battery_percent.value
                                    ? ", " + std::to_string(*power.battery_percent.value) + " %"
                                    : "";
    return {true, "waits for a charger: on battery" + percent + from(power.charging)};
}

Finding battery_finding(int wanted_percent, const host::Fact<int>& percent) {
    if (!percent.value) return {false, "nothing says how full the battery is"};
    const std::string now = std::to_string(*percent.value) + " %";
    if (*percent.value >= wanted_percent) return {false, "battery at " + now + from(percent)};
    return {true, "waits for a battery of at least " + std::to_string(wanted_percent) +
                      " %: " + now + " now" + from(percent)};
}

Finding idle_finding(const host::Fact<bool>& idle) {
    if (!idle.value) return {false, "nothing says whether this device is in use"};
    if (*idle.value) return {false, "not in use" + from(idle)};
    return {true, "waits until nobody uses the device: it is in use" + from(idle)};
}

Finding window_finding(const LocalTimeWindow& window, int now) {
    const auto [begin, end] = window;
    if (begin == end)
        return {true, "the time window " + time_of_day(begin) + " to " + time_of_day(end) +
                          " is empty (give another one)"};
    const bool inside = begin < end ? now >= begin && now < end : now >= begin || now < end;
    const std::string here = "it is " + time_of_day(now) + " here";
    if (inside) return {false, here + ", before " + time_of_day(end)};
    return {true, "waits until " + time_of_day(begin) + ": " + here};
}

// All that is waited for; or, when nothing is, all facts that were asked for.
class Verdict {
 public:
    void add(const Finding& finding) {
        if (finding.text.empty()) return;
        std::string& line = finding.waits ? waits_ : facts_;
        line += (line.empty() ? "" : "; ") + finding.text;
    }
    bool waits() const { return !waits_.empty(); }
    const std::string& line() const { return waits() ? waits_ : facts_; }

 private:
    std::string waits_, facts_;
};

}  // namespace

Permission permission(const DownloadConditions& conditions, host::Host& host, std::uint64_t bytes,
                      std::uint64_t metered_used) {
    Verdict verdict;
    const host::NetworkState network =
        host.network ? host.network->network() : host::NetworkState{};
    verdict.add(network_finding(conditions, network, bytes, metered_used));
    if (conditions.charging || conditions.idle || conditions.min_battery_percent > 0) {
        const host::PowerState power = host.power ? host.power->power() : host::PowerState{};
        if (conditions.charging) verdict.add(charger_finding(power));
        if (conditions.min_battery_percent > 0)
            verdict.add(battery_finding(conditions.min_battery_percent, power.battery_percent));
        if (conditions.idle) verdict.add(idle_finding(power.idle));
    }
    if (conditions.between && host.clock)
        verdict.add(window_finding(*conditions.between, host.clock->minutes_of_local_day()));
    return {.allowed = !verdict.waits(),
            .metered = !verdict.waits() && network.metered.value == true,
            .why = verdict.line()};
}

}  // namespace skiff::device
