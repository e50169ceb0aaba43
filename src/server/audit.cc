#include "server/audit.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace skiff::server {

Result<std::int64_t> write_intent(Ledger& ledger, const Intent& intent) {
    Json notes = Json::array();
    for (const publish::AuditNote& note : intent.notes)
        notes.push_back({{"what", note.what}, {"subject", note.subject}, {"why", note.why}});
    const std::lock_guard lock(ledger.mutex);
    auto insert = TRY(ledger.database->prepare(
        "INSERT INTO intents (project, timestamp_sha256, at_s, who, notes) VALUES (?,?,?,?,?)"));
    insert.bind(1, intent.project).bind(2, intent.timestamp_sha256).bind(3, intent.at_s);
    TRY(insert.bind(4, intent.who).bind(5, json_text(notes)).run());
    return ledger.database->last_insert_id();
}

Status end_intent(Ledger& ledger, std::int64_t id, bool happened) {
    const std::lock_guard lock(ledger.mutex);
    return ledger.database->transaction([&]() -> Status {
        if (happened) {
            auto copy = TRY(ledger.database->prepare(
                "INSERT INTO audit (project, at_s, who, what, subject, why) "
                "SELECT project, at_s, who, note.value ->> 'what', note.value ->> 'subject', "
                "note.value ->> 'why' FROM intents, json_each(intents.notes) AS note "
                "WHERE intents.id = ? ORDER BY note.key"));
            TRY(copy.bind(1, id).run());
        }
        auto remove = TRY(ledger.database->prepare("DELETE FROM intents WHERE id = ?"));
        return remove.bind(1, id).run();
    });
}

Status end_left_intents(Ledger& ledger, const std::string& project,
                        const std::string& timestamp_sha256) {
    std::vector<std::pair<std::int64_t, bool>> left;
    {
        const std::lock_guard lock(ledger.mutex);
        auto query = TRY(ledger.database->prepare(
            "SELECT id, timestamp_sha256 = ? FROM intents WHERE project = ? ORDER BY id"));
        query.bind(1, timestamp_sha256).bind(2, project);
        while (TRY(query.step())) left.emplace_back(query.integer(0), query.integer(1) != 0);
    }
    for (const auto& [id, happened] : left) TRY(end_intent(ledger, id, happened));
    return {};
}

Result<std::vector<AuditEntry>> read_audit(Ledger& ledger, const std::string& project,
                                           std::int64_t after, std::int64_t at_most) {
    const std::lock_guard lock(ledger.mutex);
    auto query =
        TRY(ledger.database->prepare("SELECT id, at_s, who, what, subject, why FROM audit "
                                     "WHERE project = ? AND id > ? ORDER BY id LIMIT ?"));
    query.bind(1, project).bind(2, after).bind(3, at_most);
    std::vector<AuditEntry> entries;
    while (TRY(query.step()))
        entries.push_back({query.integer(0), query.integer(1), query.text(2), query.text(3),
                           query.text(4), query.text(5)});
    return entries;
}

}  // namespace skiff::server
