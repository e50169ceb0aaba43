// Turns counts into reports and hands them to a server, each byte for byte until it is taken.
#pragma once

#include "device/core.h"

namespace skiff::device {

// Under the update lock. Sends what waits, freezes what was counted since, sends that too. Nothing
// happens without a report token. Ok also when a server refused a report as malformed: it is set
// aside and the log says so. Errors: no_network, unauthenticated and the like: it waits.
Status report(Core& core);

// Where reports go; "" when it cannot be told. The tests look at it.
std::string report_url(const ClientOptions& options);

// Reports that wait, and those a server refused.
struct ReportCounts {
    std::int64_t waiting = 0, refused = 0;
};
Result<ReportCounts> report_counts(Store& store);

}  // namespace skiff::device
