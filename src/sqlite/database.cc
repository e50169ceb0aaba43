#include "sqlite/database.h"

#include <sqlite3.h>

#include <utility>

namespace skiff::sqlite {

namespace {

constexpr int busy_timeout_ms = 10'000;

Error to_error(sqlite3* database, int code, std::string_view doing) {
    const char* path = database ? sqlite3_db_filename(database, "main") : nullptr;
    const std::string what = std::string(path ? path : "database") + ": " + std::string(doing) +
                             ": " + (database ? sqlite3_errmsg(database) : sqlite3_errstr(code));
    // How a full disk shows where the shared memory of the log has to grow.
    if (code == SQLITE_IOERR_SHMSIZE)
        return error(Code::not_enough_space, what + ": the disk is full (free some space)");
    switch (code & 0xff) {
        case SQLITE_FULL:
            return error(Code::not_enough_space, what + " (free some space)");
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return retryable(Code::unavailable, what);
        case SQLITE_CANTOPEN:
            return error(Code::not_found, what);
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return error(Code::permission_denied, what);
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return error(Code::data_loss, what + " (it is damaged, or is another program's file)");
        case SQLITE_CONSTRAINT:
            return error(Code::already_exists, what);
        default:
            return error(Code::internal, what);
    }
}

}  // namespace

Statement::~Statement() {
    // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): it does not follow the union in Result
    sqlite3_finalize(statement_);
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      bind_error_(other.bind_error_) {}

Statement& Statement::bind(int index, std::int64_t value) {
    bind_error_ |= sqlite3_bind_int64(statement_, index, value);
    return *this;
}
Statement& Statement::bind(int index, double value) {
    bind_error_ |= sqlite3_bind_double(statement_, index, value);
    return *this;
}
Statement& Statement::bind(int index, std::string_view text) {
    bind_error_ |= sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(),
                                       text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    return *this;
}
Statement& Statement::bind_blob(int index, Bytes bytes) {
    bind_error_ |= bytes.empty() ? sqlite3_bind_zeroblob(statement_, index, 0)
                                 : sqlite3_bind_blob64(statement_, index, bytes.data(),
                                                       bytes.size(), SQLITE_TRANSIENT);
    return *this;
}
Statement& Statement::bind_null(int index) {
    bind_error_ |= sqlite3_bind_null(statement_, index);
    return *this;
}

Result<bool> Statement::step() {
    CHECK(bind_error_ == 0);
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    const Error e = to_error(database_, code, "a statement failed");
    sqlite3_reset(statement_);
    return e;
}

Status Statement::run() {
    while (TRY(step())) {
    }
    return {};
}

void Statement::reset() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}
double Statement::real(int column) const {
    return sqlite3_column_double(statement_, column);
}
std::string Statement::text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return text ? std::string(text,
                              static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)))
                : std::string();
}
std::string Statement::blob(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return bytes ? std::string(bytes,
                               static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)))
                 : std::string();
}
bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, Migrations migrations) {
    sqlite3* handle = nullptr;
    const int code =
        sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    if (code != SQLITE_OK) {
        Error e = to_error(handle, code, "opening");
        sqlite3_close(handle);
        return with_context(std::move(e), path);
    }
    sqlite3_extended_result_codes(handle, 1);
    std::unique_ptr<Database> database(new Database(handle, path));
    sqlite3_busy_timeout(handle, busy_timeout_ms);
    TRY(database->execute(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON"));
    TRY(database->migrate(migrations));
    return database;
}

namespace {

// A path in a "file:" URI.
std::string uri_of(const std::string& path, std::string_view parameters) {
    std::string uri = "file:";
    for (const char c : path)
        if (c == '%' || c == '?' || c == '#')
            uri += c == '%' ? "%25" : c == '?' ? "%3f" : "%23";
        else
            uri += c;
    return uri + "?" + std::string(parameters);
}

Status copy_file(const std::string& uri, sqlite3* to) {
    sqlite3* from = nullptr;
    int code = sqlite3_open_v2(uri.c_str(), &from, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(from, busy_timeout_ms);
        if (sqlite3_backup* backup = sqlite3_backup_init(to, "main", from, "main")) {
            (void)sqlite3_backup_step(backup, -1);
            code = sqlite3_backup_finish(backup);
        } else {
            code = sqlite3_errcode(to);
        }
    }
    Status copied = code == SQLITE_OK ? Status() : Status(to_error(to, code, "reading " + uri));
    sqlite3_close(from);
    return copied;
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open_copy(const std::string& path,
                                                      Migrations migrations) {
    sqlite3* handle = nullptr;
    const int code =
        sqlite3_open_v2(":memory:", &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    std::unique_ptr<Database> database(new Database(handle, path));
    if (code != SQLITE_OK) return to_error(handle, code, "opening");
    // Without a log and its locks only where those cannot be had; what was last moved from the log
    // into the file is whole.
    Status copied = copy_file(uri_of(path, "mode=ro"), handle);
    if (!copied.ok()) copied = copy_file(uri_of(path, "immutable=1"), handle);
    if (!copied.ok()) return with_context(copied.take_error(), path);
    TRY(database->migrate(migrations));
    return database;
}

Database::~Database() {
    sqlite3_close(handle_);
}

Result<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int code =
        sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
    if (code != SQLITE_OK) return to_error(handle_, code, "preparing a statement");
    return Statement(handle_, statement);
}

Status Database::execute(const char* sql) {
    const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return to_error(handle_, code, "a statement failed");
    return {};
}

std::int64_t Database::last_insert_id() const {
    return sqlite3_last_insert_rowid(handle_);
}
std::int64_t Database::changes() const {
    return sqlite3_changes(handle_);
}

Status Database::migrate(Migrations migrations) {
    const auto version = [this]() -> Result<std::size_t> {
        Statement query = TRY(prepare("PRAGMA user_version"));
        TRY(query.step());
        return static_cast<std::size_t>(query.integer(0));
    };
    if (TRY(version()) == migrations.size()) return {};
    return transaction([&]() -> Status {
        const std::size_t found = TRY(version());  // another process may have been faster
        if (found > migrations.size())
            return error(Code::incompatible, path_ + ": was written by a newer skiff (schema " +
                                                 std::to_string(found) + ", this one knows " +
                                                 std::to_string(migrations.size()) +
                                                 "): update this skiff");
        for (std::size_t i = found; i < migrations.size(); ++i) TRY(execute(migrations[i]));
        return execute(("PRAGMA user_version=" + std::to_string(migrations.size())).c_str());
    });
}

}  // namespace skiff::sqlite
