// The four kinds of TUF 1.0 metadata as plain values, read strictly from JSON.
//
// Reading checks form only: types, ranges, duplicates, what a role may be called. Whom to believe
// is signatures.h and trusted_set.h. Members we do not know are allowed anywhere and are part of
// what is signed. Every error is Code::invalid_argument and names the file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/file_check.h"
#include "trust/key.h"

namespace skiff::trust {

// Who must sign a role: `threshold` different keys out of `keyids`.
struct RoleKeys {
    std::vector<std::string> keyids;  // no duplicates
    std::int64_t threshold = 1;       // >= 1
};

struct Signature {
    std::string keyid;
    std::string hex;
};

// What every file carries. `message` is the canonical form of its "signed" part: what signatures
// are made over.
struct Envelope {
    std::string message;
    std::vector<Signature> signatures;  // keyids are unique
    std::int64_t version = 0;           // >= 1
    std::int64_t expires_s = 0;         // unix seconds
};

struct Root : Envelope {
    bool consistent_snapshot = false;
    Keys keys;
    std::map<std::string, RoleKeys> roles;  // root, targets, snapshot, timestamp, perhaps more
};

// How one file is named by another.
struct FileMeta {
    std::int64_t version = 0;
    std::optional<std::uint64_t> length;
    Hashes hashes;  // may be empty
};

struct Timestamp : Envelope {
    FileMeta snapshot;
    std::int64_t signed_at_s =
        0;  // when it was signed, in Skiff's repositories (docs/formats/trust.md); else 0
};

struct Snapshot : Envelope {
    std::map<std::string, FileMeta> meta;  // "targets.json", "<role>.json", ...
};

struct TargetMeta {
    std::uint64_t length = 0;
    Hashes hashes;       // not empty
    std::string custom;  // a JSON object as text, or empty
};

struct Delegation {
    std::string name;
    RoleKeys role;
    std::vector<std::string> paths;               // globs; this or the next is empty
    std::vector<std::string> path_hash_prefixes;  // of the path's sha256 in hex
    bool terminating = false;

    bool matches(std::string_view target_path) const;
};

struct Targets : Envelope {
    std::map<std::string, TargetMeta> targets;  // by path
    Keys keys;
    std::vector<Delegation> delegations;  // in order of trust
    // Skiff's: which role this was signed as, or empty. TUF does not say, and a stolen online key
    // could show one role's file as another's that has the same keys.
    std::string role;
    std::string custom;  // Skiff's role-wide object as JSON text, or empty (docs/formats/trust.md)
};

// `what` names the file in errors. `bytes` are the whole file.
Result<Root> parse_root(std::string_view bytes, std::string_view what);
Result<Timestamp> parse_timestamp(std::string_view bytes, std::string_view what);
Result<Snapshot> parse_snapshot(std::string_view bytes, std::string_view what);
Result<Targets> parse_targets(std::string_view bytes, std::string_view what);

// Shell-style: `*` and `?` never match a slash.
bool glob_matches(std::string_view pattern, std::string_view path);
bool is_top_level_role(std::string_view name);  // root, targets, snapshot, timestamp
// A role's or file's name as one URL path segment and as a file name: all but letters, digits and
// `-._~` become %XX.
std::string quote(std::string_view name);
std::string quote_path(std::string_view path);  // keeps slashes

}  // namespace skiff::trust
