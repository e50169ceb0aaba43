#include "api/values.h"

#include <algorithm>

#include "api/error.h"

namespace skiff::api {

skiff_model_version to_c(const device::Version& version) {
    skiff_model_version out{};
    copy_text(version.model, out.model);
    copy_text(version.sha256, out.sha256);
    out.number = version.number;
    return out;
}

skiff_model_status to_c(const device::ModelStatus& status) {
    skiff_model_status out{};
    out.size = sizeof out;
    out.has_running = status.running.has_value();
    out.has_waiting = status.waiting.has_value();
    if (status.running) out.running = to_c(*status.running);
    if (status.waiting) out.waiting = to_c(*status.waiting);
    using Source = device::ModelStatus::Source;
    out.source = status.source == Source::bundled    ? SKIFF_SOURCE_BUNDLED
                 : status.source == Source::active   ? SKIFF_SOURCE_ACTIVE
                 : status.source == Source::previous ? SKIFF_SOURCE_PREVIOUS
                                                     : SKIFF_SOURCE_NONE;
    copy_text(status.why, out.why);
    return out;
}

skiff_progress to_c(const device::Progress& progress) {
    using State = device::Progress::State;
    skiff_progress out{};
    out.size = sizeof out;
    switch (progress.state) {
        case State::waiting:
            out.state = SKIFF_PROGRESS_WAITING;
            break;
        case State::downloading:
            out.state = SKIFF_PROGRESS_DOWNLOADING;
            break;
        case State::verifying:
            out.state = SKIFF_PROGRESS_VERIFYING;
            break;
        case State::trying:
            out.state = SKIFF_PROGRESS_TRYING;
            break;
        case State::active:
            out.state = SKIFF_PROGRESS_ACTIVE;
            break;
        case State::failed:
            out.state = SKIFF_PROGRESS_FAILED;
            break;
    }
    out.bytes = progress.bytes;
    out.total_bytes = progress.total_bytes;
    out.bytes_per_s = progress.bytes_per_s;
    copy_text(progress.why, out.why);
    return out;
}

skiff_assignment to_c(const device::Assignment& assignment) {
    skiff_assignment out{};
    out.size = sizeof out;
    copy_text(assignment.experiment, out.experiment);
    copy_text(assignment.variant, out.variant);
    out.version = to_c(assignment.version);
    copy_text(assignment.reason, out.reason);
    return out;
}

Result<device::DownloadConditions> read_conditions(const skiff_download_conditions* from,
                                                   device::DownloadConditions otherwise) {
    if (!from) return otherwise;
    skiff_download_conditions c{};
    if (!read_versioned(from, &c, sizeof c))
        return error(Code::invalid_argument, "set the size of skiff_download_conditions");
    if (c.min_battery_percent < 0 || c.min_battery_percent > 100 || c.deadline_s < 0)
        return error(Code::invalid_argument,
                     "conditions: min_battery_percent is 0 to 100, deadline_s not below 0");
    device::DownloadConditions out;
    out.wifi = c.wifi != 0;
    out.charging = c.charging != 0;
    out.idle = c.idle != 0;
    out.min_battery_percent = c.min_battery_percent;
    if (c.between_from || c.between_to)
        out.between =
            TRY(device::parse_window(text_or_empty(c.between_from), text_or_empty(c.between_to)));
    if (c.metered_bytes_per_month > 0 || c.has_metered_limit)
        out.metered_bytes_per_month = c.metered_bytes_per_month;
    if (c.deadline_s > 0) out.deadline = std::chrono::seconds(c.deadline_s);
    return out;
}

Result<device::DownloadType> read_download_type(int32_t type) {
    switch (type) {
        case SKIFF_LOCAL_MODEL_UPDATE_IN_BACKGROUND:
            return device::DownloadType::local_model_update_in_background;
        case SKIFF_LOCAL_MODEL:
            return device::DownloadType::local_model;
        case SKIFF_LATEST_MODEL:
            return device::DownloadType::latest_model;
        default:
            return error(Code::invalid_argument,
                         "there is no download type " + std::to_string(type));
    }
}

std::chrono::nanoseconds at_most(int64_t ms) {
    constexpr int64_t century_ms = 100LL * 365 * 24 * 3600 * 1000;
    return std::chrono::milliseconds(std::clamp<int64_t>(ms, 0, century_ms));
}

User take_user(void* user, void (*release)(void*)) {
    return User(user, [release](void* pointer) {
        if (release) release(pointer);
    });
}

}  // namespace skiff::api
