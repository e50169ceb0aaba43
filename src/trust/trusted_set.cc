#include "trust/trusted_set.h"

#include <algorithm>
#include <set>

#include "trust/date_time.h"
#include "trust/signatures.h"

namespace skiff::trust {

namespace {

Error version_error(const std::string& what, std::int64_t found, const char* relation,
                    std::int64_t other) {
    return error(Code::out_of_range, what + " is version " + std::to_string(found) + ", " +
                                         relation + " " + std::to_string(other));
}

Status check_meta(std::string_view bytes, const FileMeta& meta, const std::string& what) {
    if (meta.length && bytes.size() != *meta.length)
        return error(Code::hash_mismatch, what + " has " + std::to_string(bytes.size()) +
                                              " bytes, the file that names it says " +
                                              std::to_string(*meta.length));
    if (meta.hashes.empty()) return {};
    return check_bytes(bytes, meta.hashes, what);
}

// A role as the set of its keys' materials, so that a new name for the same key is no rotation.
std::set<std::string> materials(const Root& root, const char* role) {
    std::set<std::string> out;
    for (const std::string& keyid : root.roles.at(role).keyids) {
        const auto key = root.keys.find(keyid);
        if (key != root.keys.end()) out.insert(key->second.material);
    }
    return out;
}

}  // namespace

bool online_keys_rotated(const Root& before, const Root& after) {
    return materials(before, "timestamp") != materials(after, "timestamp") ||
           materials(before, "snapshot") != materials(after, "snapshot");
}

Status TrustedSet::check_fresh(const Envelope& file, const std::string& role) const {
    if (file.expires_s > now_s_) return {};
    refused_ = Staleness{role, file.expires_s};
    return retryable(expired_code,
                     role + ".json expired at " + date_time_text(file.expires_s) +
                         " (the publisher must sign it again, or this clock is wrong)");
}

Status TrustedSet::check_top_level(const Envelope& file, const char* role, const char* what) const {
    return check_signatures(file, root_->keys, root_->roles.at(role), what);
}

Status TrustedSet::load_root(std::string_view bytes) {
    Root root = TRY(parse_root(bytes, "the trusted root.json"));
    TRY(check_signatures(root, root.keys, root.roles.at("root"), "the trusted root.json"));
    root_ = std::move(root);
    timestamp_.reset();
    snapshot_.reset();
    return {};
}

Status TrustedSet::update_root(std::string_view bytes) {
    const std::string what = std::to_string(root_->version + 1) + ".root.json";
    Root root = TRY(parse_root(bytes, what));
    TRY(check_top_level(root, "root", what.c_str()));
    TRY(check_signatures(root, root.keys, root.roles.at("root"), what));
    if (root.version != root_->version + 1)
        return version_error(what, root.version, "it must be", root_->version + 1);
    root_ = std::move(root);
    return {};
}

Status TrustedSet::root_is_fresh() const {
    return check_fresh(*root_, "root");
}

Status TrustedSet::restore_timestamp(std::string_view bytes) {
    Timestamp timestamp = TRY(parse_timestamp(bytes, "the stored timestamp.json"));
    TRY(check_top_level(timestamp, "timestamp", "the stored timestamp.json"));
    timestamp_ = std::move(timestamp);
    return {};
}

Status TrustedSet::restore_snapshot(std::string_view bytes) {
    Snapshot snapshot = TRY(parse_snapshot(bytes, "the stored snapshot.json"));
    TRY(check_top_level(snapshot, "snapshot", "the stored snapshot.json"));
    snapshot_ = std::move(snapshot);
    return {};
}

void TrustedSet::forget_timestamp_and_snapshot() {
    timestamp_.reset();
    snapshot_.reset();
}

Result<bool> TrustedSet::update_timestamp(std::string_view bytes) {
    Timestamp timestamp = TRY(parse_timestamp(bytes, "timestamp.json"));
    TRY(check_top_level(timestamp, "timestamp", "timestamp.json"));
    if (timestamp_) {
        if (timestamp.version < timestamp_->version)
            return version_error("timestamp.json", timestamp.version, "older than the trusted",
                                 timestamp_->version);
        if (timestamp.version == timestamp_->version) return false;
        if (timestamp.snapshot.version < timestamp_->snapshot.version)
            return version_error("the snapshot that timestamp.json names",
                                 timestamp.snapshot.version, "older than the trusted",
                                 timestamp_->snapshot.version);
    }
    TRY(check_fresh(timestamp, "timestamp"));
    timestamp_ = std::move(timestamp);
    return true;
}

Status TrustedSet::timestamp_is_fresh() const {
    return check_fresh(*timestamp_, "timestamp");
}

Status TrustedSet::update_snapshot(std::string_view bytes) {
    TRY(check_meta(bytes, timestamp_->snapshot, "snapshot.json"));
    Snapshot snapshot = TRY(parse_snapshot(bytes, "snapshot.json"));
    TRY(check_top_level(snapshot, "snapshot", "snapshot.json"));
    if (snapshot.version != timestamp_->snapshot.version)
        return version_error("snapshot.json", snapshot.version, "timestamp.json names",
                             timestamp_->snapshot.version);
    if (snapshot_) {
        for (const auto& [name, old] : snapshot_->meta) {
            const auto now = snapshot.meta.find(name);
            if (now == snapshot.meta.end())
                return error(Code::out_of_range, "snapshot.json no longer lists " + name);
            if (now->second.version < old.version)
                return version_error(name + " in snapshot.json", now->second.version,
                                     "older than the trusted", old.version);
        }
    }
    TRY(check_fresh(snapshot, "snapshot"));
    snapshot_ = std::move(snapshot);
    return {};
}

bool TrustedSet::snapshot_is_current(std::string_view bytes) const {
    return snapshot_ && timestamp_ && snapshot_->version == timestamp_->snapshot.version &&
           check_meta(bytes, timestamp_->snapshot, "snapshot.json").ok() &&
           snapshot_->expires_s > now_s_;
}

Result<FileMeta> TrustedSet::meta_of(const std::string& role) const {
    const auto meta = snapshot_->meta.find(role + ".json");
    if (meta == snapshot_->meta.end())
        return error(Code::not_found, "snapshot.json does not list the role " + role);
    return meta->second;
}

Result<std::shared_ptr<const Targets>> TrustedSet::check_targets(std::string_view bytes,
                                                                 const std::string& name,
                                                                 const Keys& keys,
                                                                 const RoleKeys& role) const {
    const std::string what = name + ".json";
    const FileMeta meta = TRY(meta_of(name));
    TRY(check_meta(bytes, meta, what));
    auto targets = TRY(recheck_targets(bytes, name, keys, role));
    if (targets->version != meta.version)
        return version_error(what, targets->version, "snapshot.json names", meta.version);
    TRY(check_fresh(*targets, name));
    return targets;
}

Result<std::shared_ptr<const Targets>> TrustedSet::recheck_targets(std::string_view bytes,
                                                                   const std::string& name,
                                                                   const Keys& keys,
                                                                   const RoleKeys& role) const {
    const std::string what = name + ".json";
    Targets targets = TRY(parse_targets(bytes, what));
    TRY(check_signatures(targets, keys, role, what));
    if (!targets.role.empty() && targets.role != name)
        return error(Code::bad_signature, what + " was signed as another role: " + targets.role);
    return std::make_shared<const Targets>(std::move(targets));
}

std::optional<Staleness> TrustedSet::staleness() const {
    std::optional<Staleness> first;
    const auto look = [&](const Envelope& file, const char* role) {
        if (file.expires_s > now_s_) return;
        if (!first || file.expires_s < first->expired_at_s) first = Staleness{role, file.expires_s};
    };
    if (root_) look(*root_, "root");
    if (timestamp_) look(*timestamp_, "timestamp");
    if (snapshot_) look(*snapshot_, "snapshot");
    return first;
}

}  // namespace skiff::trust
