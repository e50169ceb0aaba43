// What a device knows and has, shared by any number of processes (docs/formats/store.md).
//
// Any thread. Readers are never kept waiting by a writer; every change is one short transaction
// that other processes notice by the epoch. Downloads and trials happen outside of transactions,
// under update_lock().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/function_ref.h"
#include "decide/ruleset.h"
#include "device/catalog.h"
#include "device/epoch.h"
#include "device/types.h"
#include "sqlite/database.h"

namespace skiff::device {

struct InstalledFile {
    std::string name, sha256;
};

// Tried and good: its files lie in store_files.h's folder of the version.
struct InstalledVersion {
    std::uint32_t number = 0;
    std::string sha256 = {};  // of the main file
    bool is_tflite = true;
    std::string io_signature = {};
    std::vector<InstalledFile> files = {};  // the first is the main one
    std::uint64_t bytes = 0;
};

// The step at which an update stands: it goes on from there after a crash.
struct UpdateRow {
    std::uint32_t number = 0;
    std::string sha256 = {};
    Progress::State state = Progress::State::waiting;
    std::string why = {};  // waiting: "waits for wifi: this network is metered (...)"
    friend bool operator==(const UpdateRow&, const UpdateRow&) = default;
};

// One consistent view of a model.
struct ModelState {
    Catalog catalog;
    std::optional<decide::Ruleset> ruleset;
    std::string ruleset_sha256;
    std::string catalog_of;  // which trust and snapshot the two were read from
    std::map<std::uint32_t, InstalledVersion> installed;
    std::uint32_t active = 0, previous = 0;  // 0: none
    std::map<std::string, std::string> bad;  // by sha256, with the reason
    std::set<std::string> eligible;          // experiments whose other arm this device could run
    std::optional<UpdateRow> update;
    std::int64_t rules_at_s = 0, rules_expire_s = 0;  // 0: not known
    std::string check_failure = {};  // what the last check failed with; "": nothing
};

// What signed metadata says now. Without a ruleset the last one stays.
struct Published {
    Catalog catalog;
    std::string catalog_of;  // as in ModelState
    std::string ruleset = {}, ruleset_sha256 = {};
};

class Store {
 public:
    // Errors: those of sqlite::Database::open, and of files.
    static Result<std::unique_ptr<Store>> open(const std::string& folder);
    // Stands in for a store that open() failed on with `why`: reads what was there when it was
    // made, if that can be read; every change, update_lock() included, fails with `why`. Nothing on
    // disk is touched.
    static std::unique_ptr<Store> unusable(const std::string& folder, const Error& why);
    // Why it is one of those; nothing for a good one.
    const std::optional<Error>& failure() const { return failure_; }
    bool can_read() const { return reader_ != nullptr; }

    const std::string& folder() const { return folder_; }
    const Epoch& epoch() const { return *epoch_; }
    // Raises the epoch to what is committed: for changes of a process that died before it could.
    Status publish_changes();

    // Held by whoever checks, fetches, tries or collects. Code::unavailable (retry): another does.
    Result<std::unique_ptr<FileLock>> update_lock() const;

    Result<ModelState> read(const std::string& model);
    Result<std::vector<std::string>> models();  // known: asked for or installed
    Result<std::vector<std::pair<std::string, InstalledVersion>>> installed();

    Status ask_for(const std::string& model);
    // What a check found; readers look again only when it is something new.
    Status save_published(const std::string& model, const Published& published);
    // What the last check failed with, "" when it did not: of one model, or ("") of all.
    Status note_check(const std::string& model, const std::string& failure);
    Status set_update(const std::string& model, const UpdateRow& update);
    Status clear_update(const std::string& model);
    Status mark_bad(const std::string& model, const std::string& sha256, const std::string& reason);
    Status mark_eligible(const std::string& model, const std::string& experiment);
    // Installed and active from now on, in one transaction; what was active becomes previous.
    Status activate(const std::string& model, const InstalledVersion& version);
    Status switch_to(const std::string& model, std::uint32_t installed);
    Status uninstall(const std::string& model, std::uint32_t number);
    Status forget(const std::string& model);  // all its installed versions

    // Small values by name; "" when absent.
    Result<std::string> fact(std::string_view name);
    Status set_fact(std::string_view name, std::string_view value);
    Result<std::int64_t> number_fact(std::string_view name);

    Result<std::uint64_t> metered_bytes(const std::string& month);
    Status add_metered_bytes(const std::string& month, std::uint64_t bytes);

    using Work = FunctionRef<Status(sqlite::Database&)>;
    Status write(Work work);   // one transaction; readers need not look again
    Status change(Work work);  // one transaction that readers see
    Status look(Work work);    // one consistent read

    std::string installation_id();

 private:
    Store() = default;
    Status begin_changes();
    std::string folder_;
    std::unique_ptr<Epoch> epoch_;
    std::mutex reader_mutex_, writer_mutex_;
    std::unique_ptr<sqlite::Database> reader_, writer_;  // under their mutexes
    std::string installation_id_;
    std::optional<Error> failure_;
};

std::string_view state_name(Progress::State state);  // "waiting", ...

}  // namespace skiff::device
