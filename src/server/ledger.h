// server.db: tokens, audit, reports. Durable when a call returns.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "sqlite/database.h"

namespace skiff::server {

// One connection to server.db, for one thread at a time: hold `mutex` while you use `database`. A
// process may have several, and `skiff tokens` has one beside a running server.
struct Ledger {
    std::mutex mutex;
    std::unique_ptr<sqlite::Database> database;

    static Result<std::unique_ptr<Ledger>> open(const std::string& path);
    // Writes a row and makes it durable: whether storage can be written at all.
    Status probe(std::int64_t now_s);
};

}  // namespace skiff::server
