// Reading a tree back, and taking files that were signed elsewhere: both believe nothing that does
// not verify.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "trust/layout.h"
#include "trust/repository.h"
#include "trust/repository_state.h"
#include "trust/signatures.h"

namespace skiff::trust {

namespace {

struct RootChain {
    std::string bytes;  // of the newest
    Root newest;
    std::optional<Root> before;
};

Result<RootChain> read_roots(Tree& tree) {
    RootChain chain;
    chain.bytes = TRY(tree.read(metadata_path("root", 1)));
    chain.newest = TRY(parse_root(chain.bytes, "1.root.json"));
    TRY(check_signatures(chain.newest, chain.newest.keys, chain.newest.roles.at("root"),
                         "1.root.json"));
    for (;;) {
        const std::int64_t version = chain.newest.version + 1;
        const std::string what = std::to_string(version) + ".root.json";
        if (!tree.exists(metadata_path("root", version))) return chain;
        std::string bytes = TRY(tree.read(metadata_path("root", version)));
        Root next = TRY(parse_root(bytes, what));
        TRY(check_signatures(next, chain.newest.keys, chain.newest.roles.at("root"), what));
        TRY(check_signatures(next, next.keys, next.roles.at("root"), what));
        if (next.version != version)
            return error(Code::out_of_range, what + " is another version than its name says");
        chain.before = std::move(chain.newest);
        chain.newest = std::move(next);
        chain.bytes = std::move(bytes);
    }
}

// Under the newest root, or the one before: a publisher that stopped between writing a root with
// new keys and the files that those keys sign left the older signatures, and commit() replaces
// them.
Status check_top_level(const Envelope& file, const RootChain& chain, const std::string& role) {
    Status newest = check_signatures(file, chain.newest.keys, chain.newest.roles.at(role), role);
    if (newest.ok() || !chain.before) return newest;
    return check_signatures(file, chain.before->keys, chain.before->roles.at(role), role);
}

Result<RoleFile> role_file(std::string bytes, std::int64_t version) {
    Json tree = TRY(parse_json(bytes, "metadata"));
    return RoleFile{std::make_shared<Json>(std::move(tree["signed"])), std::move(bytes), version,
                    RoleFile::Change::none};
}

Status check_version(const Envelope& file, std::int64_t expected, const std::string& role) {
    if (file.version == expected) return {};
    return error(Code::out_of_range, role + " is version " + std::to_string(file.version) +
                                         ", it must be " + std::to_string(expected));
}

// A targets role at the version that the snapshot names, under the keys of its delegator, which
// must be read already.
Status read_role(Tree& tree, const Snapshot& snapshot, const std::string& role, RoleFiles& roles) {
    const auto meta = snapshot.meta.find(role + ".json");
    if (meta == snapshot.meta.end())
        return error(Code::not_found, "snapshot.json does not list the role " + role);
    std::string bytes = TRY(tree.read(metadata_path(role, meta->second.version)));
    const Targets targets = TRY(parse_targets(bytes, role + ".json"));
    TRY(check_version(targets, meta->second.version, role));
    if (targets.role != role)
        return error(Code::bad_signature, role + ".json was signed as another role");
    if (role != "targets") {
        const auto [keys, role_keys] = TRY(authority_of(roles, role));
        TRY(check_signatures(targets, keys, role_keys, role + ".json"));
    }
    roles[role] = TRY(role_file(std::move(bytes), targets.version));
    return {};
}

Status read_roles(Tree& tree, const Snapshot& snapshot, const RootChain& chain, RoleFiles& roles) {
    TRY(read_role(tree, snapshot, "targets", roles));
    const Targets top = TRY(parse_targets(roles.at("targets").bytes, "targets.json"));
    TRY(check_top_level(top, chain, "targets"));
    for (const Delegation& family : top.delegations) {
        TRY(read_role(tree, snapshot, family.name, roles));
        const Targets role = TRY(parse_targets(roles.at(family.name).bytes, family.name));
        for (const Delegation& child : role.delegations)
            TRY(read_role(tree, snapshot, child.name, roles));
    }
    return {};
}

}  // namespace

Result<Repository> Repository::open(Tree& tree) {
    const RootChain chain = TRY(read_roots(tree));
    auto state = std::make_unique<State>();
    state->tree = &tree;
    state->root_on_tree = chain.bytes;
    state->timestamp_on_tree = TRY(tree.read(metadata_path("timestamp", 0)));
    const Timestamp timestamp = TRY(parse_timestamp(state->timestamp_on_tree, "timestamp.json"));
    TRY(check_top_level(timestamp, chain, "timestamp"));
    std::string bytes = TRY(tree.read(metadata_path("snapshot", timestamp.snapshot.version)));
    const Snapshot snapshot = TRY(parse_snapshot(bytes, "snapshot.json"));
    TRY(check_top_level(snapshot, chain, "snapshot"));
    TRY(check_version(snapshot, timestamp.snapshot.version, "snapshot"));
    state->roles["root"] = TRY(role_file(chain.bytes, chain.newest.version));
    state->roles["timestamp"] = TRY(role_file(state->timestamp_on_tree, timestamp.version));
    state->roles["snapshot"] = TRY(role_file(std::move(bytes), snapshot.version));
    TRY(read_roles(tree, snapshot, chain, state->roles));
    return Repository(std::move(state));
}

Status Repository::put_signed(const std::string& role, const std::string& bytes) {
    RoleFiles& roles = state_->roles;
    const std::string what = role + ".json";
    if (role == "snapshot" || role == "timestamp")
        return error(Code::invalid_argument, what + " is made by commit()");
    const auto at = roles.find(role);
    const std::int64_t version = (at == roles.end() ? 0 : at->second.version_on_tree) + 1;
    if (role == "root") {
        const Root root = TRY(parse_root(bytes, what));
        TRY(check_version(root, version, role));
        TRY(check_signatures(root, root.keys, root.roles.at("root"), what));
        if (!state_->root_on_tree.empty()) {
            const Root before = TRY(parse_root(state_->root_on_tree, "root.json"));
            TRY(check_signatures(root, before.keys, before.roles.at("root"), what));
        }
    } else {
        const Targets targets = TRY(parse_targets(bytes, what));
        TRY(check_version(targets, version, role));
        const auto [keys, role_keys] = TRY(authority_of(roles, role));
        TRY(check_signatures(targets, keys, role_keys, what));
        if (targets.role != role)
            return error(Code::invalid_argument,
                         what + " was signed as another role: " + targets.role);
        for (const auto& [path, target] : targets.targets) {
            const auto chain = roles_for_target(path);
            if (!chain.ok() || chain->back() != role)
                return error(Code::permission_denied, what + " may not sign the target " + path);
        }
    }
    RoleFile file = TRY(role_file(bytes, version - 1));
    file.change = RoleFile::Change::ready;
    roles[role] = std::move(file);
    return {};
}

}  // namespace skiff::trust
