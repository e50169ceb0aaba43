// The words of the device library, as plain values: include/skiff/skiff.h has the same for apps.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace skiff::device {

struct Version {
    std::string model = {};
    std::uint32_t number = 0;  // 0: bundled
    std::string sha256 = {};   // of the main file
    friend bool operator==(const Version&, const Version&) = default;
};
std::string to_string(const Version& version);  // "digits:3", "digits (bundled)"

// Firebase's three. Each falls back to what the device has when it is offline.
enum class DownloadType { local_model, local_model_update_in_background, latest_model };

// Minutes of the device's day, [from, to); from > to crosses midnight.
struct LocalTimeWindow {
    int from_minute = 0, to_minute = 0;
};
// "02:00", "05:00"; Code::invalid_argument for what is no time of day.
Result<LocalTimeWindow> parse_window(std::string_view from, std::string_view to);

struct DownloadConditions {
    bool wifi = false, charging = false, idle = false;  // wifi: online and not metered
    int min_battery_percent = 0;
    std::optional<LocalTimeWindow> between = {};
    // What a metered network may carry in a calendar month (UTC), TLS and headers included; 0:
    // nothing. Not set: nothing when `wifi` is set, anything when it is not.
    std::optional<std::uint64_t> metered_bytes_per_month = {};
    std::optional<std::chrono::seconds> deadline = {};  // after it Code::conditions_unmet
};

struct Progress {
    enum class State { waiting, downloading, verifying, trying, active, failed };
    State state = State::waiting;
    std::uint64_t bytes = 0, total_bytes = 0;
    double bytes_per_s = 0;
    std::string why = {};  // "waits for wifi: this network is metered"
};

// What runs now, and the line that support staff asks for.
struct ModelStatus {
    enum class Source { none, bundled, active, previous };
    std::optional<Version> running = {}, waiting = {};
    Source source = Source::none;
    std::string why = {};
    friend bool operator==(const ModelStatus&, const ModelStatus&) = default;
};

struct Assignment {
    std::string experiment = {}, variant = {};  // empty: none
    Version version = {};
    std::string reason = {};
};

}  // namespace skiff::device
