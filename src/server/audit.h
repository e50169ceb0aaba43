// Who did what and why: append-only (triggers see to it), and in step with the files.
//
// A publication is files, the audit is a row: what is between them is an intent. It is written
// before the files, with the hash of the timestamp.json that makes them visible; after a crash the
// timestamp that is there says whether the intent became true.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "publish/home.h"
#include "server/ledger.h"

namespace skiff::server {

struct AuditEntry {
    std::int64_t id = 0, at_s = 0;
    std::string who, what, subject, why;
};

struct Intent {
    std::string project, timestamp_sha256, who;
    std::int64_t at_s = 0;
    std::vector<publish::AuditNote> notes;
};

Result<std::int64_t> write_intent(Ledger& ledger, const Intent& intent);  // its id
// In one transaction: the intent ends, its notes are in the audit when it `happened`.
Status end_intent(Ledger& ledger, std::int64_t id, bool happened);
// Ends the intents that a crash (or a full disk) left open: true is the one whose timestamp.json is
// there now.
Status end_left_intents(Ledger& ledger, const std::string& project,
                        const std::string& timestamp_sha256);
// Entries with an id above `after`, oldest first.
Result<std::vector<AuditEntry>> read_audit(Ledger& ledger, const std::string& project,
                                           std::int64_t after, std::int64_t at_most);

}  // namespace skiff::server
