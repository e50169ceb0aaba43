#include "trust/repository.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "base/sha256.h"
#include "trust/date_time.h"
#include "trust/layout.h"
#include "trust/repository_state.h"
#include "trust/signatures.h"

namespace skiff::trust {

namespace {

constexpr const char* spec_version = "1.0.34";

Json new_body(const char* type) {
    return {{"_type", type},
            {"spec_version", spec_version},
            {"version", 1},
            {"expires", date_time_text(0)}};
}

std::vector<std::string> keyids_of(const KeySet& keys) {
    std::vector<std::string> out;
    for (const PublicKey& key : keys.keys) out.push_back(keyid_of(key));
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

Status check_key_set(const KeySet& keys) {
    const auto usable = [](const PublicKey& key) { return !key.material.empty(); };
    if (!std::all_of(keys.keys.begin(), keys.keys.end(), usable))
        return error(Code::invalid_argument, "a public key is of no kind that Skiff can verify");
    const auto different = static_cast<std::int64_t>(keyids_of(keys).size());
    if (keys.threshold >= 1 && keys.threshold <= different) return {};
    return error(Code::invalid_argument, "a threshold of " + std::to_string(keys.threshold) +
                                             " needs as many different keys, there are " +
                                             std::to_string(different));
}

// Puts `keys` into the delegator's key list and drops the keys that no role names any more.
void set_role_keys(Json& keys_object, Json& roles, Json& role, const KeySet& keys) {
    role["keyids"] = keyids_of(keys);
    role["threshold"] = keys.threshold;
    for (const PublicKey& key : keys.keys) keys_object[keyid_of(key)] = key_json(key);
    for (auto it = keys_object.begin(); it != keys_object.end();) {
        const auto names = [&](const Json& other) {
            const Json& ids = other.at("keyids");
            return std::find(ids.begin(), ids.end(), it.key()) != ids.end();
        };
        it = std::any_of(roles.begin(), roles.end(), names) ? std::next(it) : keys_object.erase(it);
    }
}

// Where the delegation to `role` stands in its delegator's list; the list's size when there is
// none.
std::size_t find_delegation(const Json& roles, const std::string& role) {
    std::size_t i = 0;
    while (i < roles.size() && roles[i].at("name") != role) ++i;
    return i;
}

void set_delegation(RoleFile& delegator, const std::string& role, const KeySet& keys) {
    Json& delegations = edit(delegator)["delegations"];
    if (!delegations.contains("keys"))
        delegations = {{"keys", Json::object()}, {"roles", Json::array()}};
    Json& roles = delegations["roles"];
    const std::size_t at = find_delegation(roles, role);
    if (at == roles.size()) {
        const Coverage coverage = coverage_of(role);
        Json entry = {{"name", role}, {"terminating", true}, {"keyids", Json::array()}};
        if (coverage.paths.empty())
            entry["path_hash_prefixes"] = coverage.path_hash_prefixes;
        else
            entry["paths"] = coverage.paths;
        roles.push_back(std::move(entry));
    }
    set_role_keys(delegations["keys"], roles, roles[at], keys);
}

// Makes the role when it is new, with the keys of its delegator's own delegation.
Status ensure_role(RoleFiles& roles, const std::string& role) {
    if (roles.contains(role)) return {};
    const std::string parent = delegator_of(role);
    const auto [keys, role_keys] = TRY(authority_of(roles, parent));
    KeySet same{{}, role_keys.threshold};
    for (const std::string& keyid : role_keys.keyids) same.keys.push_back(keys.at(keyid));
    set_delegation(roles.at(parent), role, same);
    roles.emplace(role, new_file(new_targets_body(role)));
    return {};
}

Result<RoleFile*> targets_file(RoleFiles& roles, const std::string& role) {
    const auto at = roles.find(role);
    if (at == roles.end() || at->second.body->at("_type") != "targets")
        return error(Code::not_found, "the repository has no targets role " + role);
    return &at->second;
}

}  // namespace

Json new_targets_body(const std::string& role) {
    Json body = new_body("targets");
    body["role"] = role;
    body["targets"] = Json::object();
    return body;
}

Json& edit(RoleFile& file) {
    file.body = std::make_shared<Json>(*file.body);
    file.change = RoleFile::Change::edited;
    return *file.body;
}

RoleFile new_file(Json body) {
    return {std::make_shared<Json>(std::move(body)), {}, 0, RoleFile::Change::edited};
}

std::string file_text(const Json& body, const Json& signatures) {
    return json_text({{"signatures", signatures}, {"signed", body}});
}

std::string metadata_path(const std::string& role, std::int64_t version) {
    if (role == "timestamp") return "metadata/timestamp.json";
    return "metadata/" + std::to_string(version) + "." + quote(role) + ".json";
}

Result<std::pair<Keys, RoleKeys>> authority_of(const RoleFiles& roles, const std::string& role) {
    const std::string name = delegator_of(role);
    const auto delegator = roles.find(name);
    if (delegator != roles.end()) {
        const std::string text = file_text(*delegator->second.body, Json::array());
        if (name == "root") {
            Root root = TRY(parse_root(text, "root.json"));
            return std::pair(std::move(root.keys), root.roles.at(role));
        }
        Targets targets = TRY(parse_targets(text, name + ".json"));
        for (const Delegation& delegation : targets.delegations)
            if (delegation.name == role) return std::pair(std::move(targets.keys), delegation.role);
    }
    return error(Code::not_found, "nobody delegates to the role " + role);
}

Result<TargetRecord> write_target(Tree& tree, const std::string& path, Bytes bytes) {
    TRY(roles_for_target(path));
    TargetRecord record{bytes.size(), sha256_hex(bytes)};
    const std::size_t name = path.rfind('/') + 1;
    const std::string file =
        "targets/" + path.substr(0, name) + record.sha256 + "." + path.substr(name);
    // Written whole or not at all, and named by its hash: what is there is right.
    if (!tree.exists(file)) TRY(tree.write(file, bytes));
    return record;
}

Repository::Repository(std::unique_ptr<State> state) : state_(std::move(state)) {}
Repository::~Repository() = default;
Repository::Repository(Repository&&) noexcept = default;
Repository& Repository::operator=(Repository&&) noexcept = default;

Result<Repository> Repository::create(Tree& tree, const ProjectKeys& keys) {
    if (tree.exists("metadata/timestamp.json"))
        return error(Code::already_exists, "the tree holds a published repository already");
    for (const KeySet* set : {&keys.root, &keys.targets, &keys.models, &keys.online})
        TRY(check_key_set(*set));
    auto state = std::make_unique<State>();
    state->tree = &tree;
    Json root = new_body("root");
    root["consistent_snapshot"] = true;
    root["keys"] = Json::object();
    for (const char* role : {"root", "targets", "snapshot", "timestamp"})
        root["roles"][role] = {{"keyids", Json::array()}, {"threshold", 1}};
    state->roles["root"] = new_file(root);
    for (const char* type : {"snapshot", "timestamp"}) {
        Json body = new_body(type);
        body["meta"] = Json::object();
        state->roles[type] = new_file(body);
    }
    for (const char* role : {"targets", "models", "rulesets", "deltas"})
        state->roles[role] = new_file(new_targets_body(role));
    Repository repository(std::move(state));
    TRY(repository.set_keys("root", keys.root));
    TRY(repository.set_keys("targets", keys.targets));
    TRY(repository.set_keys("models", keys.models));
    for (const char* role : {"snapshot", "timestamp", "rulesets", "deltas"})
        TRY(repository.set_keys(role, keys.online));
    for (int i = 0; i < ruleset_roles; ++i)
        TRY(ensure_role(repository.state_->roles, "rulesets." + std::to_string(i)));
    return repository;
}

Status Repository::set_target(const std::string& path, const TargetRecord& record,
                              const Json& custom) {
    const auto chain = TRY(roles_for_target(path));
    if (!custom.is_null() && !custom.is_object())
        return error(Code::invalid_argument, "the custom data of " + path + " is not an object");
    TRY(ensure_role(state_->roles, chain.back()));
    Json target = {{"length", record.length}, {"hashes", {{"sha256", record.sha256}}}};
    if (!custom.is_null()) target["custom"] = custom;
    edit(state_->roles.at(chain.back()))["targets"][path] = target;
    return {};
}

Status Repository::remove_target(const std::string& path) {
    const auto chain = TRY(roles_for_target(path));
    const auto file = state_->roles.find(chain.back());
    if (file == state_->roles.end() || !file->second.body->at("targets").contains(path))
        return error(Code::not_found, "the repository has no target " + path);
    edit(file->second)["targets"].erase(path);
    return {};
}

Status Repository::set_custom(const std::string& role, const Json& custom) {
    if (!custom.is_null() && !custom.is_object())
        return error(Code::invalid_argument, "the custom data of " + role + " is not an object");
    RoleFile* file = TRY(targets_file(state_->roles, role));
    if (custom.is_null())
        edit(*file).erase("custom");
    else
        edit(*file)["custom"] = custom;
    return {};
}

Status Repository::set_keys(const std::string& role, const KeySet& keys) {
    TRY(check_key_set(keys));
    RoleFiles& roles = state_->roles;
    const std::string parent = delegator_of(role);
    if (parent == "root") {
        Json& body = edit(roles.at("root"));
        set_role_keys(body["keys"], body["roles"], body["roles"][role], keys);
        return {};
    }
    const std::string name = role.substr(role.find('.') + 1);
    if (!roles.contains(role) && (parent != "models" || !is_plain_name(name)))
        return error(Code::invalid_argument, "\"" + role + "\" is no role of a Skiff repository");
    std::vector<std::string> followers;
    const auto before = authority_of(roles, role);
    for (const auto& [child, file] : roles) {
        if (!before.ok() || delegator_of(child) != role) continue;
        if (TRY(authority_of(roles, child)).second.keyids == before->second.keyids)
            followers.push_back(child);
    }
    set_delegation(roles.at(parent), role, keys);
    for (const std::string& child : followers) set_delegation(roles.at(role), child, keys);
    if (!roles.contains(role)) roles.emplace(role, new_file(new_targets_body(role)));
    return {};
}

std::vector<RoleExpiry> Repository::expiring(std::int64_t now_s, std::int64_t within_s) const {
    std::vector<RoleExpiry> out;
    for (const auto& [role, file] : state_->roles) {
        const auto expires = parse_date_time(file.body->at("expires").get<std::string>());
        CHECK(expires.ok());
        if (*expires - now_s < within_s) out.push_back({role, *expires});
    }
    std::sort(out.begin(), out.end(),
              [](const auto& a, const auto& b) { return a.expires_s < b.expires_s; });
    return out;
}

std::vector<std::string> Repository::role_names() const {
    std::vector<std::string> out;
    for (const auto& [role, file] : state_->roles) out.push_back(role);
    return out;
}

Result<Targets> Repository::targets_role(const std::string& role) const {
    const RoleFile* file = TRY(targets_file(state_->roles, role));
    return parse_targets(file_text(*file->body, Json::array()), role + ".json");
}

Root Repository::root() const {
    return parse_root(file_text(*state_->roles.at("root").body, Json::array()), "root.json")
        .value();
}

std::string Repository::root_file() const {
    return state_->root_on_tree;
}

}  // namespace skiff::trust
