// SQLite with the house's manners: results instead of codes, transactions that roll back on their
// own, schemas that migrate.
//
// A Database is one connection: one thread at a time. Several connections and processes may have
// one file open: it is in WAL mode, so readers never wait for the writer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace skiff::sqlite {

// A prepared statement, bound and stepped. Bind from 1; read columns from 0.
class Statement {
 public:
    ~Statement();
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&&) = delete;
    Statement(const Statement&) = delete;

    Statement& bind(int index, std::int64_t value);
    Statement& bind(int index, double value);
    Statement& bind(int index, std::string_view text);
    Statement& bind_blob(int index, Bytes bytes);
    Statement& bind_null(int index);

    // True: there is a row. False: done.
    Result<bool> step();
    Status run();  // steps to the end
    void reset();  // to be stepped again, with other values

    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string text(int column) const;
    std::string blob(int column) const;
    bool is_null(int column) const;

 private:
    friend class Database;
    Statement(sqlite3* database, sqlite3_stmt* statement)
        : database_(database), statement_(statement) {}
    sqlite3* database_;
    sqlite3_stmt* statement_;
    int bind_error_ = 0;
};

// The schema's history: element i takes a database from version i to i + 1.
using Migrations = std::span<const char* const>;

class Database {
 public:
    // Opens or makes the file, durable (synchronous FULL) and in WAL mode, and brings its schema up
    // to date in one transaction. Errors: Code::incompatible when the schema is newer than these
    // migrations; Code::data_loss when the file is no database or is damaged;
    // Code::not_enough_space.
    static Result<std::unique_ptr<Database>> open(const std::string& path, Migrations migrations);
    // What the file says now, as a database in memory, brought to these migrations' schema: for a
    // file that can be read and not written (a full disk, a mount that is read-only). Reads what
    // the log beside it has too, if that can be locked. Errors: as open(), not_found.
    static Result<std::unique_ptr<Database>> open_copy(const std::string& path,
                                                       Migrations migrations);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    Result<Statement> prepare(std::string_view sql);
    Status execute(const char* sql);  // no parameters, any number of statements
    std::int64_t last_insert_id() const;
    std::int64_t changes() const;  // rows of the last statement

    // Runs `work` between BEGIN IMMEDIATE and COMMIT; rolls back when it fails. Not nested.
    template <typename Work>
    Status transaction(const Work& work) {
        TRY(execute("BEGIN IMMEDIATE"));
        Status done = work();
        if (done.ok()) done = execute("COMMIT");
        if (!done.ok()) (void)execute("ROLLBACK");
        return done;
    }

 private:
    Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
    Status migrate(Migrations migrations);
    sqlite3* handle_;
    std::string path_;
};

}  // namespace skiff::sqlite
