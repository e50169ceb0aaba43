// The device library's values as the C interface's structs, and back.
#pragma once

#include <functional>
#include <memory>

#include <skiff/c.h>

#include "device/client.h"

namespace skiff::api {

skiff_model_version to_c(const device::Version& version);
skiff_model_status to_c(const device::ModelStatus& status);
skiff_progress to_c(const device::Progress& progress);
skiff_assignment to_c(const device::Assignment& assignment);

// `otherwise` when `from` is null. Code::invalid_argument for a struct without size or a time that
// is none.
Result<device::DownloadConditions> read_conditions(const skiff_download_conditions* from,
                                                   device::DownloadConditions otherwise);
Result<device::DownloadType> read_download_type(int32_t type);

// What a callback is called with; released when the last copy of the callback goes.
using User = std::shared_ptr<void>;
User take_user(void* user, void (*release)(void*));

// Milliseconds that an app gives: below 0 is 0, and what nanoseconds cannot hold is for ever.
std::chrono::nanoseconds at_most(int64_t ms);

inline std::string text_or_empty(const char* text) {
    return text ? text : "";
}

}  // namespace skiff::api
