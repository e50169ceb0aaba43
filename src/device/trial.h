// A version tried before it is switched to: loaded, its interface compared, its smoke test
// computed.
#pragma once

#include <string>

#include "device/catalog.h"
#include "telemetry/recorder.h"

namespace skiff::device {

struct Trial {
    bool good = false;
    // Not good: goes on after the version's name ("failed its smoke test"). For good or for now.
    std::string reason = {};
    bool for_now = false;  // memory was short and the like: nothing is held against the version
    telemetry::UpdateOutcome failed_as = telemetry::UpdateOutcome::load_failed;
    bool is_tflite = false;
    std::string io_signature = {};  // of the file; "" for opaque ones
};

// `file` is the main file, its hash checked already, `main` which of the version's it is. Opaque
// files are good: their hash is all that is known of them.
Trial try_version(const std::string& file, const PublishedVersion& version,
                  const PublishedFile& main);

}  // namespace skiff::device
