// The history of state.db's schema (docs/formats/store.md).
#pragma once

namespace skiff::device {

// Never changed once released: a new step is added at the end.
inline constexpr const char* store_migrations[] = {
    R"(
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE models (
    name TEXT PRIMARY KEY,
    catalog TEXT NOT NULL DEFAULT '',
    catalog_of TEXT NOT NULL DEFAULT '',
    ruleset TEXT NOT NULL DEFAULT '',
    ruleset_sha256 TEXT NOT NULL DEFAULT '',
    active INTEGER NOT NULL DEFAULT 0,
    previous INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE installed (
    model TEXT NOT NULL,
    number INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    is_tflite INTEGER NOT NULL,
    io_signature TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    files TEXT NOT NULL,
    PRIMARY KEY (model, number)
) WITHOUT ROWID;
CREATE TABLE updates (
    model TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE bad (
    model TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    reason TEXT NOT NULL,
    runtime_level INTEGER NOT NULL,
    PRIMARY KEY (model, sha256)
) WITHOUT ROWID;
CREATE TABLE eligible (
    model TEXT NOT NULL,
    experiment TEXT NOT NULL,
    PRIMARY KEY (model, experiment)
) WITHOUT ROWID;
CREATE TABLE reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    body TEXT NOT NULL,
    refused TEXT NOT NULL DEFAULT ''
);
CREATE TABLE metered (month TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO facts VALUES ('changes', '1');
)",
};

}  // namespace skiff::device
