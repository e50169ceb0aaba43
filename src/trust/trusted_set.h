// What a client has verified so far, and the rules by which more is let in (TUF 1.0.34, section 5).
// No files, no network.
//
// Bytes come in, are checked against what is already trusted, and either become trusted or are
// refused with everything as it was. One thread. Errors:
//   invalid_argument     not metadata of the expected kind
//   bad_signature        not signed by the threshold of keys
//   hash_mismatch        not the length or the hashes that the naming file states
//   out_of_range         a version that is too old (rollback), or not the one that was named (mix
//   and match) failed_precondition  expired; nothing else in this room uses this code not_found the
//   snapshot does not list that role
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "trust/metadata.h"

namespace skiff::trust {

constexpr Code expired_code = Code::failed_precondition;

struct Staleness {
    std::string role;  // whose metadata expired first
    std::int64_t expired_at_s = 0;
};

class TrustedSet {
 public:
    // All expiry is judged against this one time, so that a long update cannot expire half way.
    explicit TrustedSet(std::int64_t now_s) : now_s_(now_s) {}

    // The root that the device was given, or kept. Must be signed by itself; may be expired.
    Status load_root(std::string_view bytes);
    // Version N+1, signed by N's keys and by its own. May be expired: root_is_fresh() judges the
    // last one.
    Status update_root(std::string_view bytes);
    Status root_is_fresh() const;

    // From the client's own store: signatures only, since expired files still guard against
    // rollback.
    Status restore_timestamp(std::string_view bytes);
    Status restore_snapshot(std::string_view bytes);
    void forget_timestamp_and_snapshot();

    // True when it replaced the trusted one; false when it has the same version, and the trusted
    // one stays.
    Result<bool> update_timestamp(std::string_view bytes);
    Status timestamp_is_fresh() const;
    Status update_snapshot(std::string_view bytes);
    // The trusted snapshot is the one that the timestamp names, and not expired.
    bool snapshot_is_current(std::string_view bytes) const;

    // A targets role: the top one or a delegated one, with the keys that its delegator gives it.
    // Nothing is kept here.
    Result<std::shared_ptr<const Targets>> check_targets(std::string_view bytes,
                                                         const std::string& name, const Keys& keys,
                                                         const RoleKeys& role) const;
    // The same without the snapshot and the expiry: for a device that cannot reach anyone and reads
    // what it verified before.
    Result<std::shared_ptr<const Targets>> recheck_targets(std::string_view bytes,
                                                           const std::string& name,
                                                           const Keys& keys,
                                                           const RoleKeys& role) const;

    bool has_root() const { return root_.has_value(); }
    const Root& root() const { return *root_; }
    const std::optional<Timestamp>& timestamp() const { return timestamp_; }
    const std::optional<Snapshot>& snapshot() const { return snapshot_; }
    Result<FileMeta> meta_of(const std::string& role) const;  // from the snapshot; Code::not_found

    // Of root, timestamp and snapshot, the one that expired first at the time set, if any.
    std::optional<Staleness> staleness() const;
    // The last file that was refused because it had expired, if any.
    const std::optional<Staleness>& refused() const { return refused_; }

 private:
    Status check_fresh(const Envelope& file, const std::string& role) const;
    Status check_top_level(const Envelope& file, const char* role, const char* what) const;

    std::int64_t now_s_;
    std::optional<Root> root_;
    std::optional<Timestamp> timestamp_;
    std::optional<Snapshot> snapshot_;
    mutable std::optional<Staleness> refused_;
};

// Whether the keys for timestamp or snapshot differ: old files of theirs must then be forgotten, so
// that a repository can recover from stolen keys that signed absurdly high versions.
bool online_keys_rotated(const Root& before, const Root& after);

}  // namespace skiff::trust
