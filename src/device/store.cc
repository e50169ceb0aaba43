#include "device/store.h"

#include <nlohmann/json.hpp>

#include "base/random.h"
#include "device/store_schema.h"
#include "runtime/runtime_level.h"

namespace skiff::device {

namespace {

std::int64_t to_number(const std::string& text) {
    return text.empty() ? 0 : std::strtoll(text.c_str(), nullptr, 10);
}

// Inside a transaction, made once and then kept for ever.
Status make_installation_id(sqlite::Database& db) {
    sqlite::Statement insert =
        TRY(db.prepare("INSERT INTO facts VALUES ('installation_id', ?) ON CONFLICT DO NOTHING"));
    insert.bind(1, random_uuid());
    return insert.run();
}

}  // namespace

std::string_view state_name(Progress::State state) {
    constexpr std::string_view names[] = {"waiting", "downloading", "verifying",
                                          "trying",  "active",      "failed"};
    return names[static_cast<int>(state)];
}

Result<std::unique_ptr<Store>> Store::open(const std::string& folder) {
    for (const char* part : {"/blobs/sha256", "/versions", "/tuf"})
        TRY(make_folders(folder + part));
    // A new database is laid out, and turned to WAL, by one process.
    const auto opening = TRY(FileLock::acquire(folder + "/open.lock", true));
    std::unique_ptr<Store> store(new Store);
    store->folder_ = folder;
    store->writer_ = TRY(sqlite::Database::open(folder + "/state.db", store_migrations));
    store->reader_ = TRY(sqlite::Database::open(folder + "/state.db", store_migrations));
    store->epoch_ = TRY(Epoch::open(folder + "/epoch"));
    store->installation_id_ = TRY(store->fact("installation_id"));
    if (store->installation_id_.empty()) {
        TRY(store->write([](sqlite::Database& db) { return make_installation_id(db); }));
        store->installation_id_ = TRY(store->fact("installation_id"));
    }
    TRY(store->begin_changes());
    TRY(store->publish_changes());
    return store;
}

std::unique_ptr<Store> Store::unusable(const std::string& folder, const Error& why) {
    std::unique_ptr<Store> store(new Store);
    store->folder_ = folder;
    store->failure_ = why;
    // Nobody is to wait for it as for a lock that another process holds.
    if (why.code == Code::unavailable) store->failure_->code = Code::failed_precondition;
    store->failure_->retry = false;
    store->failure_->message = "the store cannot be used: " + why.message;
    store->epoch_ = Epoch::constant();
    if (why.code != Code::incompatible)
        if (auto copy = sqlite::Database::open_copy(folder + "/state.db", store_migrations);
            copy.ok())
            store->reader_ = std::move(copy).value();
    if (const auto id = store->fact("installation_id"); id.ok()) store->installation_id_ = *id;
    if (store->installation_id_.empty()) store->installation_id_ = random_uuid();
    return store;
}

// A database that was lost, or is an older copy, has counted fewer changes than readers have seen:
// they would look at none of its changes.
Status Store::begin_changes() {
    const std::uint64_t seen = epoch_->now();
    const auto changes = static_cast<std::uint64_t>(TRY(number_fact("changes")));
    if (changes == 0)
        TRY(write([](sqlite::Database& db) {
            return db.execute("INSERT OR REPLACE INTO facts VALUES ('changes', '1')");
        }));
    if (seen > changes) epoch_->turn_back(seen, changes);
    return {};
}

Status Store::publish_changes() {
    if (failure_) return *failure_;
    epoch_->raise_to(static_cast<std::uint64_t>(TRY(number_fact("changes"))));
    return {};
}

Result<std::unique_ptr<FileLock>> Store::update_lock() const {
    if (failure_) return *failure_;
    return FileLock::acquire(folder_ + "/update.lock", false);
}

std::string Store::installation_id() {
    return installation_id_;
}

Status Store::look(Work work) {
    if (!reader_) return *failure_;
    std::lock_guard lock(reader_mutex_);
    TRY(reader_->execute("BEGIN"));
    Status done = work(*reader_);
    (void)reader_->execute("COMMIT");
    return done;
}

Status Store::write(Work work) {
    if (failure_) return *failure_;
    std::lock_guard lock(writer_mutex_);
    return writer_->transaction([&] { return work(*writer_); });
}

Status Store::change(Work work) {
    if (failure_) return *failure_;
    std::lock_guard lock(writer_mutex_);
    std::int64_t changes = 0;
    TRY(writer_->transaction([&]() -> Status {
        TRY(work(*writer_));
        TRY(writer_->execute("UPDATE facts SET value = value + 1 WHERE name = 'changes'"));
        sqlite::Statement query =
            TRY(writer_->prepare("SELECT value FROM facts WHERE name = 'changes'"));
        TRY(query.step());
        changes = query.integer(0);
        return {};
    }));
    epoch_->raise_to(static_cast<std::uint64_t>(changes));
    return {};
}

Result<std::string> Store::fact(std::string_view name) {
    std::string value;
    TRY(look([&](sqlite::Database& db) -> Status {
        sqlite::Statement query = TRY(db.prepare("SELECT value FROM facts WHERE name = ?"));
        if (TRY(query.bind(1, name).step())) value = query.text(0);
        return {};
    }));
    return value;
}

Result<std::int64_t> Store::number_fact(std::string_view name) {
    return to_number(TRY(fact(name)));
}

Status Store::set_fact(std::string_view name, std::string_view value) {
    if (TRY(fact(name)) == value) return {};
    return write([&](sqlite::Database& db) -> Status {
        sqlite::Statement insert = TRY(db.prepare("INSERT OR REPLACE INTO facts VALUES (?, ?)"));
        return insert.bind(1, name).bind(2, value).run();
    });
}

Result<std::uint64_t> Store::metered_bytes(const std::string& month) {
    std::uint64_t bytes = 0;
    TRY(look([&](sqlite::Database& db) -> Status {
        sqlite::Statement query = TRY(db.prepare("SELECT bytes FROM metered WHERE month = ?"));
        if (TRY(query.bind(1, month).step())) bytes = static_cast<std::uint64_t>(query.integer(0));
        return {};
    }));
    return bytes;
}

Status Store::add_metered_bytes(const std::string& month, std::uint64_t bytes) {
    if (bytes == 0) return {};
    return write([&](sqlite::Database& db) -> Status {
        sqlite::Statement add =
            TRY(db.prepare("INSERT INTO metered VALUES (?, ?) ON CONFLICT (month) DO UPDATE SET "
                           "bytes = bytes + excluded.bytes"));
        return add.bind(1, month).bind(2, static_cast<std::int64_t>(bytes)).run();
    });
}

}  // namespace skiff::device
