// skiff/delivery.h: the words of delivery, as plain values: conditions, progress, status.
#pragma once

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <skiff/c_client.h>
#include <skiff/runtime.h>

namespace skiff {

// Firebase's three. Each falls back to what the device has when it is offline.
enum class DownloadType {
    local_model_update_in_background = SKIFF_LOCAL_MODEL_UPDATE_IN_BACKGROUND,
    local_model = SKIFF_LOCAL_MODEL,
    latest_model = SKIFF_LATEST_MODEL,
};

struct LocalTimeWindow {
    std::string from, to;  // "02:00", "05:00": device time; may cross midnight
};

// When the files of models may be fetched; nothing set: always. (To ask whether there is anything
// new is not held back: under 1 KB when there is not.)
struct DownloadConditions {
    bool wifi = false, charging = false, idle = false;  // wifi: online and not metered
    int min_battery_percent = 0;
    std::optional<LocalTimeWindow> between = {};
    // What a metered network may carry in all, TLS included; 0: nothing. Not set: no limit, but
    // with `wifi` nothing.
    std::optional<std::uint64_t> metered_bytes_per_month = {};
    std::optional<std::chrono::seconds> deadline = {};  // then Code::conditions_unmet
};

struct Progress {
    enum State { waiting, downloading, verifying, trying, active, failed } state = waiting;
    std::uint64_t bytes = 0, total_bytes = 0;
    double bytes_per_s = 0;
    std::string why;  // "waits for wifi: this network is metered"
};

struct ModelStatus {
    std::optional<Version> running, waiting;
    enum Source { none, bundled, active, previous } source = none;
    std::string why;  // the line that support staff asks for
};

// Why this device runs what it runs. experiment "": none.
struct Assignment {
    std::string experiment, variant;
    Version version;
    std::string reason;
};

// What rules may ask about: {{"app_version", "3.2.0"}, {"cores", 8}, {"beta", true}}.
class Attribute {
 public:
    Attribute(bool value) : json_(value ? "true" : "false") {}
    Attribute(int value) : json_(std::to_string(value)) {}
    Attribute(std::int64_t value) : json_(std::to_string(value)) {}
    Attribute(double value) {
        char text[32];
        std::snprintf(text, sizeof text, "%.17g", value);
        json_ = value - value == 0 ? text : "null";  // neither infinite nor NaN
    }
    Attribute(const char* value) : json_(quoted(value)) {}
    Attribute(const std::string& value) : json_(quoted(value)) {}
    const std::string& json() const { return json_; }
    static std::string quoted(std::string_view text) {
        std::string out = "\"";
        for (const char c : text) {
            char escaped[8];
            if (c == '"' || c == '\\')
                (out += '\\') += c;
            else if (static_cast<unsigned char>(c) < 0x20)
                out.append(escaped, static_cast<std::size_t>(std::snprintf(
                                        escaped, sizeof escaped, "\\u%04x", unsigned(c))));
            else
                out += c;
        }
        return out + '"';
    }

 private:
    std::string json_;
};
using Attributes = std::vector<std::pair<std::string, Attribute>>;

namespace detail {

inline std::string json_of(const Attributes& attributes) {
    std::string out = "{";
    for (const auto& [name, value] : attributes) {
        if (out.size() > 1) out += ',';
        out += Attribute::quoted(name) + ":" + value.json();
    }
    return out + "}";
}

inline const char* c_text(const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
}

// Views of `from`.
inline skiff_local_model c_local_model(const LocalModel& from) {
    skiff_local_model c{};
    c.size = sizeof c;
    c.path = c_text(from.path);
    c.data = from.bytes.data();
    c.bytes = from.bytes.size();
    c.is_manifest = from.is_manifest;
    return c;
}
inline skiff_download_conditions c_conditions(const DownloadConditions& from) {
    skiff_download_conditions c{};
    c.size = sizeof c;
    c.wifi = from.wifi;
    c.charging = from.charging;
    c.idle = from.idle;
    c.min_battery_percent = from.min_battery_percent;
    if (from.between) {
        c.between_from = from.between->from.c_str();
        c.between_to = from.between->to.c_str();
    }
    c.metered_bytes_per_month = from.metered_bytes_per_month.value_or(0);
    c.has_metered_limit = from.metered_bytes_per_month.has_value();
    // 0 would be none: who gives no time at all gets a second.
    if (from.deadline) c.deadline_s = from.deadline->count() < 1 ? 1 : from.deadline->count();
    return c;
}

inline Version to_version(const skiff_model_version& v) {
    return Version{v.model, v.number, v.sha256};
}
inline Progress to_progress(const skiff_progress& p) {
    return Progress{static_cast<Progress::State>(p.state), p.bytes, p.total_bytes, p.bytes_per_s,
                    p.why};
}
inline ModelStatus to_model_status(const skiff_model_status& s) {
    ModelStatus out;
    if (s.has_running) out.running = to_version(s.running);
    if (s.has_waiting) out.waiting = to_version(s.waiting);
    out.source = static_cast<ModelStatus::Source>(s.source);
    out.why = s.why;
    return out;
}
inline Assignment to_assignment(const skiff_assignment& a) {
    return Assignment{a.experiment, a.variant, to_version(a.version), a.reason};
}

// A callback that crosses the C interface: the library releases it.
template <typename F>
void release(void* user) {
    delete static_cast<F*>(user);
}

// Rounded up: a wait is never shorter than asked for.
inline std::int64_t milliseconds(std::chrono::nanoseconds at_most) {
    return std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
}

}  // namespace detail

}  // namespace skiff
