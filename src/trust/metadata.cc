#include "trust/metadata.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "trust/canonical.h"
#include "trust/date_time.h"

namespace skiff::trust {

namespace {

// So that version + 1 and every other sum of ours stays in range, and in the integers of JavaScript
// clients.
constexpr std::int64_t max_integer = (std::int64_t{1} << 53) - 1;
constexpr std::size_t max_role_name =
    80;  // quoted it is at most 240 bytes, and a file name with ".json"

Error bad(std::string_view what, const std::string& message) {
    return error(Code::invalid_argument, std::string(what) + ": " + message);
}

std::string in_quotes(std::string_view text) {
    std::string out(1, '"');
    out += text.substr(0, 100);
    return out += '"';
}

Result<std::int64_t> integer_from(const Json& object, const char* key, std::int64_t at_least,
                                  std::string_view what) {
    const std::int64_t value = TRY(json_int(object, key, what));
    if (value < at_least || value > max_integer)
        return bad(what, in_quotes(key) + " is out of range: " + std::to_string(value));
    return value;
}

Status check_spec_version(const std::string& text, std::string_view what) {
    if (text == "1" || text.starts_with("1.")) return {};
    return bad(what, "follows TUF " + in_quotes(text) + ", this program knows 1.x");
}

// Fills the envelope and returns the "signed" part, which lives in `tree`.
Result<const Json*> read_envelope(const Json& tree, const char* type, Envelope& envelope,
                                  std::string_view what) {
    const Json* signed_part = TRY(json_object(tree, "signed", what));
    const Json* signatures = TRY(json_array(tree, "signatures", what));
    std::set<std::string> seen;
    for (const Json& item : *signatures) {
        if (!item.is_object()) return bad(what, "a signature is not an object");
        // One TRY to a statement: leaving an initializer half way would leak its first half.
        Signature signature;
        signature.keyid = TRY(json_string(item, "keyid", what));
        signature.hex = TRY(json_string(item, "sig", what));
        if (!seen.insert(signature.keyid).second)
            return bad(what, "has two signatures of key " + signature.keyid);
        envelope.signatures.push_back(std::move(signature));
    }
    const std::string found = TRY(json_string(*signed_part, "_type", what));
    if (found != type)
        return bad(what, "is of type " + in_quotes(found) + ", not " + in_quotes(type));
    TRY(check_spec_version(TRY(json_string(*signed_part, "spec_version", what)), what));
    envelope.version = TRY(integer_from(*signed_part, "version", 1, what));
    auto expires = parse_date_time(TRY(json_string(*signed_part, "expires", what)));
    if (!expires.ok()) return with_context(expires.take_error(), what);
    envelope.expires_s = *expires;
    auto message = canonical_json(*signed_part);
    if (!message.ok()) return with_context(message.take_error(), what);
    envelope.message = std::move(*message);
    return signed_part;
}

Result<std::vector<std::string>> strings(const Json& object, const char* key,
                                         std::string_view what) {
    std::vector<std::string> out;
    for (const Json& item : *TRY(json_array(object, key, what))) {
        if (!item.is_string()) return bad(what, in_quotes(key) + " holds a non-string");
        out.push_back(item.get<std::string>());
    }
    return out;
}

Result<RoleKeys> read_role_keys(const Json& object, std::string_view what) {
    RoleKeys role;
    role.keyids = TRY(strings(object, "keyids", what));
    const std::set<std::string> unique(role.keyids.begin(), role.keyids.end());
    if (unique.size() != role.keyids.size()) return bad(what, "a role lists the same keyid twice");
    role.threshold = TRY(integer_from(object, "threshold", 1, what));
    return role;
}

Result<Keys> read_keys(const Json& object, std::string_view what) {
    Keys keys;
    for (const auto& [keyid, key] : TRY(json_object(object, "keys", what))->items()) {
        if (!key.is_object()) return bad(what, "key " + keyid + " is not an object");
        keys.emplace(keyid, TRY(parse_key(key, what)));
    }
    return keys;
}

Result<Hashes> read_hashes(const Json& object, std::string_view what) {
    Hashes hashes;
    const Json* tree = TRY(json_object(object, "hashes", what));
    if (tree->empty()) return bad(what, "\"hashes\" is empty");
    for (const auto& [algorithm, hex] : tree->items()) {
        if (!hex.is_string()) return bad(what, "hash " + algorithm + " is not a string");
        hashes.emplace(algorithm, hex.get<std::string>());
    }
    return hashes;
}

Result<FileMeta> read_file_meta(const Json& object, std::string_view what) {
    if (!object.is_object()) return bad(what, "an entry of \"meta\" is not an object");
    FileMeta meta;
    meta.version = TRY(integer_from(object, "version", 1, what));
    if (object.contains("length"))
        meta.length = static_cast<std::uint64_t>(TRY(integer_from(object, "length", 0, what)));
    if (object.contains("hashes")) meta.hashes = TRY(read_hashes(object, what));
    return meta;
}

Result<std::string> read_custom(const Json& object, std::string_view what) {
    if (!object.contains("custom")) return std::string();
    return json_text(*TRY(json_object(object, "custom", what)));
}

Result<Delegation> read_delegation(const Json& object, std::string_view what) {
    if (!object.is_object()) return bad(what, "a delegation is not an object");
    Delegation delegation;
    delegation.name = TRY(json_string(object, "name", what));
    // A delegated "root" would be stored over the real one.
    if (is_top_level_role(delegation.name) || delegation.name.empty() ||
        delegation.name.size() > max_role_name)
        return bad(what, "delegates to a role of the name " + in_quotes(delegation.name));
    delegation.role = TRY(read_role_keys(object, what));
    delegation.terminating = TRY(json_bool(object, "terminating", what));
    const bool by_path = object.contains("paths");
    if (by_path == object.contains("path_hash_prefixes"))
        return bad(what, delegation.name + " needs either \"paths\" or \"path_hash_prefixes\"");
    if (by_path)
        delegation.paths = TRY(strings(object, "paths", what));
    else
        delegation.path_hash_prefixes = TRY(strings(object, "path_hash_prefixes", what));
    return delegation;
}

Status read_delegations(const Json& object, Targets& targets, std::string_view what) {
    targets.keys = TRY(read_keys(object, what));
    std::set<std::string> names;
    for (const Json& item : *TRY(json_array(object, "roles", what))) {
        targets.delegations.push_back(TRY(read_delegation(item, what)));
        const std::string& name = targets.delegations.back().name;
        if (!names.insert(name).second) return bad(what, "delegates twice to " + name);
    }
    return {};
}

}  // namespace

Result<Root> parse_root(std::string_view bytes, std::string_view what) {
    const Json tree = TRY(parse_json(bytes, what));
    Root root;
    const Json* body = TRY(read_envelope(tree, "root", root, what));
    if (body->contains("consistent_snapshot"))
        root.consistent_snapshot = TRY(json_bool(*body, "consistent_snapshot", what));
    root.keys = TRY(read_keys(*body, what));
    for (const auto& [name, role] : TRY(json_object(*body, "roles", what))->items()) {
        if (!role.is_object()) return bad(what, "role " + name + " is not an object");
        root.roles.emplace(name, TRY(read_role_keys(role, what)));
    }
    for (const char* name : {"root", "targets", "snapshot", "timestamp"})
        if (!root.roles.contains(name)) return bad(what, std::string("names no keys for ") + name);
    return root;
}

Result<Timestamp> parse_timestamp(std::string_view bytes, std::string_view what) {
    const Json tree = TRY(parse_json(bytes, what));
    Timestamp timestamp;
    const Json* body = TRY(read_envelope(tree, "timestamp", timestamp, what));
    const Json* meta = TRY(json_object(*body, "meta", what));
    const auto snapshot = meta->find("snapshot.json");
    if (snapshot == meta->end() || meta->size() != 1)
        return bad(what, "\"meta\" must describe snapshot.json, and nothing else");
    timestamp.snapshot = TRY(read_file_meta(*snapshot, what));
    if (body->contains("signed_at")) {
        auto signed_at = parse_date_time(TRY(json_string(*body, "signed_at", what)));
        if (!signed_at.ok()) return with_context(signed_at.take_error(), what);
        timestamp.signed_at_s = *signed_at;
    }
    return timestamp;
}

Result<Snapshot> parse_snapshot(std::string_view bytes, std::string_view what) {
    const Json tree = TRY(parse_json(bytes, what));
    Snapshot snapshot;
    const Json* body = TRY(read_envelope(tree, "snapshot", snapshot, what));
    for (const auto& [name, meta] : TRY(json_object(*body, "meta", what))->items())
        snapshot.meta.emplace(name, TRY(read_file_meta(meta, what)));
    return snapshot;
}

Result<Targets> parse_targets(std::string_view bytes, std::string_view what) {
    const Json tree = TRY(parse_json(bytes, what));
    Targets targets;
    const Json* body = TRY(read_envelope(tree, "targets", targets, what));
    for (const auto& [path, item] : TRY(json_object(*body, "targets", what))->items()) {
        if (!item.is_object()) return bad(what, "target " + path + " is not an object");
        TargetMeta target;
        target.length = static_cast<std::uint64_t>(TRY(integer_from(item, "length", 0, what)));
        target.hashes = TRY(read_hashes(item, what));
        target.custom = TRY(read_custom(item, what));
        targets.targets.emplace(path, std::move(target));
    }
    if (body->contains("delegations"))
        TRY(read_delegations(*TRY(json_object(*body, "delegations", what)), targets, what));
    if (body->contains("role")) targets.role = TRY(json_string(*body, "role", what));
    targets.custom = TRY(read_custom(*body, what));
    return targets;
}

}  // namespace skiff::trust
