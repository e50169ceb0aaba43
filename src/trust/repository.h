// The publisher's side: a signed TUF repository in the layout of layout.h, kept as a static tree.
//
// Edits are made in memory and cost nothing; commit() signs what changed and writes it so that
// whoever reads the tree at any moment, or after a crash at any moment, sees one whole and valid
// state: files that nothing names yet first, timestamp.json last. One thread. Only one publisher
// may write a tree at a time: callers hold a FileLock; commit() also notices, with Code::aborted,
// that somebody else published since the tree was read.
//
// Offline and threshold keys: sign on this machine by handing commit() their signers; or take
// draft(), have it signed anywhere with sign_file(), and give the result to put_signed().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "trust/metadata.h"
#include "trust/signer.h"
#include "trust/tree.h"

namespace skiff::trust {

struct KeySet {
    std::vector<PublicKey> keys;
    std::int64_t threshold = 1;
};

struct ProjectKeys {
    KeySet root, targets, models;  // offline
    KeySet online;                 // snapshot, timestamp, rulesets, deltas
};

// A target's bytes, already in the tree.
struct TargetRecord {
    std::uint64_t length = 0;
    std::string sha256;
};

struct RoleExpiry {
    std::string role;
    std::int64_t expires_s = 0;
};

struct Resigned {
    std::vector<std::string> roles;       // signed again and written
    std::vector<RoleExpiry> keys_absent;  // due, but none of the signers given may sign them
};

using Signers = std::vector<const Signer*>;

// Writes targets/<folder>/<sha256>.<file>. The tree needs the bytes before any metadata names them.
Result<TargetRecord> write_target(Tree& tree, const std::string& path, Bytes bytes);

// Adds the signer's signature to a metadata file, replacing an older one of the same key. Checks
// nothing else.
Result<std::string> sign_file(const std::string& bytes, const Signer& signer);

class Repository {
 public:
    // A new project; nothing is written before commit(). Code::already_exists when the tree has a
    // published repository.
    static Result<Repository> create(Tree& tree, const ProjectKeys& keys);
    // Verifies everything but expiry, from 1.root.json up.
    static Result<Repository> open(Tree& tree);
    ~Repository();
    Repository(Repository&&) noexcept;
    Repository& operator=(Repository&&) noexcept;

    // Makes the model's role when the model is new, with the keys of "models". `custom` is an
    // object, or null for none.
    Status set_target(const std::string& path, const TargetRecord& record, const Json& custom);
    Status remove_target(const std::string& path);  // Code::not_found
    // A targets role's own custom object; of a model's role it holds {"minimum_version": N}. Null
    // removes it.
    Status set_custom(const std::string& role, const Json& custom);
    // Who signs a role from now on, in its delegator's metadata. Roles below it that had the same
    // keys follow. A role "models.NAME" that is new is made.
    Status set_keys(const std::string& role, const KeySet& keys);

    // The next version of a role, unsigned. `role` is root or any targets role.
    Result<std::string> draft(const std::string& role, std::int64_t now_s) const;
    // Takes a role signed elsewhere: version one higher, enough signatures of those whom its
    // delegator, as edited so far, allows, no target outside its paths. Delegators come first.
    Status put_signed(const std::string& role, const std::string& bytes);

    // Writes all edits; nothing when there are none. Code::unauthenticated before anything is
    // written when signatures are missing. After an error open the tree again: some files may be
    // written, none of them named yet.
    Status commit(const Signers& signers, std::int64_t now_s);
    // Signs again, and commits, what has less than a third of its lifetime left.
    Result<Resigned> resign_if_needed(const Signers& signers, std::int64_t now_s);

    // Roles that expire within `within_s` of now, soonest first.
    std::vector<RoleExpiry> expiring(std::int64_t now_s, std::int64_t within_s) const;
    std::vector<std::string> role_names() const;
    Result<Targets> targets_role(const std::string& role) const;  // as edited so far
    Root root() const;                                            // as edited so far
    std::string root_file() const;  // the newest root on the tree: what devices pin

 private:
    struct State;
    explicit Repository(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace skiff::trust
