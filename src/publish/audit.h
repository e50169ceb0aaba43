// audit.jsonl: who did what to a home that is a folder, when and why, one JSON object a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "publish/home.h"

namespace skiff::publish {

struct AuditEntry {
    std::string when;          // "2026-11-22T12:38:00Z"
    std::string who;           // "ann@build-host"
    std::int64_t version = 0;  // the timestamp version that it made
    AuditNote note;
};

// Appends, whole and durable, after what is there; a line that a crash cut off is ended first. On
// an error the file is as it was. Gives the size of before, for take_back_audit().
Result<std::uint64_t> append_audit(const std::string& file, const std::vector<AuditEntry>& entries);
Status take_back_audit(const std::string& file, std::uint64_t size);

// Oldest first; none when there is no file. Lines that are no entry (cut off by a crash) are
// skipped.
Result<std::vector<AuditEntry>> read_audit(const std::string& file);

// Of what people write beside a change: one line of UTF-8, and nothing that would drive the
// terminal of who reads it. Code::invalid_argument; `what` names it: "--why".
Status check_plain_text(std::string_view text, std::string_view what);

}  // namespace skiff::publish
