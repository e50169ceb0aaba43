// The device's side of TUF 1.0.34: from a pinned root to verified bytes, over any transport and any
// storage.
//
// One Client per repository; one thread at a time. Only verified files are ever stored, byte for
// byte as they came, and a refused or missing file leaves the trusted ones as they were: the next
// refresh() can always succeed. Errors carry trusted_set.h's codes; those of the Fetcher and the
// Store pass through.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "trust/store.h"
#include "trust/trusted_set.h"

namespace skiff::trust {

// Files whose size nobody has stated yet. Larger ones are refused unread, as are longer chains.
constexpr std::uint64_t max_root_bytes = 512'000;
constexpr std::uint64_t max_timestamp_bytes = 16'384;
constexpr std::uint64_t max_snapshot_bytes = 2'000'000;
constexpr std::uint64_t max_targets_bytes = 5'000'000;
constexpr int max_new_roots = 256;      // in one refresh
constexpr int max_searched_roles = 32;  // for one target

enum class RefreshMode {
    full,   // asks for root N+1 first, as the specification's workflow does
    quick,  // asks for root N+1 only when timestamp.json is another one: an idle check is one
            // conditional request
};

// Where delegated roles come from: the repository, all checks applied, after a successful
// refresh(); or the store, whose files passed all checks when they were stored, and may be stale
// now.
enum class Source { repository, store };

struct TargetInfo {
    std::string path;
    std::uint64_t length = 0;
    Hashes hashes;
    std::string custom;    // a JSON object as text, or empty
    std::string role;      // who signed it
    std::string url_path;  // below the repository's targets folder, percent-encoded, with the hash
                           // where it belongs
};

class Client {
 public:
    struct Options {
        std::string pinned_root;              // bytes; used when the store has no root.json
        std::function<std::int64_t()> clock;  // unix seconds
        // Time is never before this: the newest of build time and what signed_at_s() gave before. A
        // dead clock then cannot make expired metadata look fresh.
        std::int64_t earliest_time_s = 0;
    };

    Client(Fetcher& metadata, Store& store, Options options);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // True when the repository has another snapshot than before: some role may be new.
    // expired_code: something is stale (see staleness()), and what was trusted before stays.
    Result<bool> refresh(RefreshMode mode);

    // Reads the trusted root, timestamp and snapshot from the store, for Source::store. refresh()
    // does it too.
    Status load();

    // Searches targets.json and its delegations in order of trust. Code::not_found when nobody
    // vouches for the path.
    Result<TargetInfo> find_target(const std::string& path, Source source = Source::repository);
    // A role by the names that lead to it from targets.json, {"models", "models.digits"}; with only
    // those of its targets that every delegation on the way allows.
    Result<Targets> role(std::span<const std::string> chain, Source source = Source::repository);

    // Puts a verified target at `file`. When a right one is there already, nothing is fetched. Held
    // in memory meanwhile: for large files fetch url_path by other means and use FileCheck.
    Status download(const TargetInfo& target, Fetcher& targets, const std::string& file);

    // Nothing after a refresh() that succeeded. Else what the last one refused as expired, or what
    // has expired among the stored files since they were fetched.
    std::optional<Staleness> staleness() const;
    std::int64_t signed_at_s() const;  // of the trusted timestamp, 0 when it does not say
    const TrustedSet& trusted() const { return trusted_; }

 private:
    using Role = std::shared_ptr<const Targets>;

    Status load_root();
    Status update_root_chain();
    Status update_timestamp(RefreshMode mode);
    Status accept_timestamp(const Fetched& reply);
    Result<Fetched> fetch_timestamp();
    Status update_snapshot();
    Result<Fetched> fetch(const std::string& name, std::optional<std::int64_t> version,
                          std::uint64_t max_bytes);
    Result<Role> load_role(const std::string& name, const Keys& keys, const RoleKeys& role,
                           Source source);
    Result<Role> load_top_targets(Source source);
    Status check_ready(Source source) const;
    TargetInfo info_of(const std::string& path, const TargetMeta& meta,
                       const std::string& role) const;

    Fetcher& metadata_;
    Store& store_;
    Options options_;
    TrustedSet trusted_{0};
    std::string timestamp_bytes_;  // as stored
    std::string timestamp_etag_;
    bool refreshed_ = false;
};

}  // namespace skiff::trust
