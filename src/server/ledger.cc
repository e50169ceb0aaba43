#include "server/ledger.h"

namespace skiff::server {

namespace {

// (An element is never changed once released: databases of every version must come to the same.)
constexpr const char* migrations[] = {
    R"(
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    note TEXT NOT NULL,
    created_s INTEGER NOT NULL,
    revoked_s INTEGER
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    at_s INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    why TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_project ON audit (project, id);
CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_keeps_words BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

CREATE TABLE intents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    timestamp_sha256 TEXT NOT NULL,
    at_s INTEGER NOT NULL,
    who TEXT NOT NULL,
    notes TEXT NOT NULL
) STRICT;

CREATE TABLE reports (
    project TEXT NOT NULL,
    report_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (project, report_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE cells (
    project TEXT NOT NULL,
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    experiment TEXT NOT NULL,
    variant TEXT NOT NULL,
    counts TEXT NOT NULL,
    PRIMARY KEY (project, model, version, experiment, variant)
) STRICT, WITHOUT ROWID;

CREATE TABLE report_counts (
    project TEXT NOT NULL,
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    reports INTEGER NOT NULL,
    PRIMARY KEY (project, model, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE probe (id INTEGER PRIMARY KEY CHECK (id = 1), at_s INTEGER NOT NULL) STRICT;
)",
    // The day on which a report's window ended, by which reports are forgotten. Of those that were
    // taken before nobody knows it: they stay.
    R"(
ALTER TABLE reports ADD COLUMN ended_day INTEGER NOT NULL DEFAULT 0;
CREATE INDEX reports_by_day ON reports (ended_day);
)",
};

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(const std::string& path) {
    auto ledger = std::make_unique<Ledger>();
    ledger->database = TRY(sqlite::Database::open(path, migrations));
    return ledger;
}

Status Ledger::probe(std::int64_t now_s) {
    const std::lock_guard lock(mutex);
    auto write = TRY(database->prepare("INSERT OR REPLACE INTO probe VALUES (1, ?)"));
    return write.bind(1, now_s).run();
}

}  // namespace skiff::server
