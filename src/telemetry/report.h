// The report: one batch of aggregates as it travels (docs/formats/report.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "telemetry/recorder.h"

namespace skiff::telemetry {

struct Report {
    std::string report_id;       // random; says nothing about the device
    std::uint64_t sequence = 0;  // per report_id, from 1
    std::int64_t window_start_ms = 0, window_end_ms = 0;
    std::string app_version = {}, os = {}, arch = {};
    std::vector<CellSnapshot> cells = {};
};

std::string write_report(const Report& report);  // JSON, compact
// Refuses what no device sends: wrong kinds, counts below 0, names above 63 bytes, more than 1,000
// cells. Unknown members are ignored: devices may be newer than the server.
Result<Report> read_report(std::string_view text);

// One element of a report's "cells", alone: how a server keeps what it added up.
std::string write_cell(const CellSnapshot& cell);
Result<CellSnapshot> read_cell(std::string_view text);

}  // namespace skiff::telemetry
