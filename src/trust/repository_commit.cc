// Signing what changed, and writing it in an order that never shows half a publication.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/hex.h"
#include "trust/canonical.h"
#include "trust/date_time.h"
#include "trust/layout.h"
#include "trust/repository.h"
#include "trust/repository_state.h"
#include "trust/signatures.h"

namespace skiff::trust {

namespace {

using Change = RoleFile::Change;

// Delegators before those they delegate to.
std::vector<std::string> top_down(const RoleFiles& roles) {
    std::vector<std::string> names;
    for (const auto& [name, file] : roles)
        if (name != "snapshot" && name != "timestamp") names.push_back(name);
    const auto depth = [](const std::string& name) {
        if (name == "root") return 0;
        if (name == "targets") return 1;
        return delegator_of(name) == "targets" ? 2 : 3;
    };
    std::stable_sort(names.begin(), names.end(),
                     [&](const auto& a, const auto& b) { return depth(a) < depth(b); });
    return names;
}

Result<Envelope> read_file_of(const RoleFile& file, const std::string& role) {
    if (role == "root") return Envelope(TRY(parse_root(file.bytes, role)));
    if (role == "snapshot") return Envelope(TRY(parse_snapshot(file.bytes, role)));
    if (role == "timestamp") return Envelope(TRY(parse_timestamp(file.bytes, role)));
    return Envelope(TRY(parse_targets(file.bytes, role)));
}

// One publication being prepared: nothing outside changes before it is complete.
class Publication {
 public:
    Publication(RoleFiles roles, const std::string& root_on_tree, const Signers& signers,
                std::int64_t now_s)
        : roles_(std::move(roles)), signers_(signers), now_s_(now_s) {
        if (!root_on_tree.empty()) before_ = parse_root(root_on_tree, "root.json").value();
    }

    Status prepare() {
        for (const std::string& role : top_down(roles_)) TRY(prepare_role(role));
        TRY(prepare_snapshot());
        const auto changed = [](const auto& item) { return item.second.change != Change::none; };
        if (std::any_of(roles_.begin(), roles_.end(), changed) || !is_signed("timestamp"))
            TRY(prepare_timestamp());
        return {};
    }

    bool empty() const { return roles_.at("timestamp").change == Change::none; }
    const RoleFiles& roles() const { return roles_; }

    // What readers with the root before this one see must verify as long as they have that root.
    // When the new files carry the old keys' signatures too, the new root goes last; when they
    // cannot (a key was stolen or lost), it goes first, and readers refuse what they see, and keep
    // what they have, until the rest is written.
    std::vector<std::string> write_order() const {
        std::vector<std::string> order;
        for (const std::string& role : top_down(roles_))
            if (role != "root") order.push_back(role);
        std::reverse(order.begin(), order.end());
        order.push_back("snapshot");
        order.push_back("timestamp");
        std::erase_if(order, [&](const auto& role) { return !is_changed(role); });
        if (is_changed("root"))
            order.insert(root_goes_last() ? order.end() : order.begin(), "root");
        return order;
    }

    Status write(Tree& tree) const {
        for (const std::string& role : write_order()) {
            const RoleFile& file = roles_.at(role);
            const auto version = file.body->at("version").get<std::int64_t>();
            TRY(tree.write(metadata_path(role, version), as_bytes(file.bytes)));
        }
        return {};
    }

 private:
    bool is_changed(const std::string& role) const {
        return roles_.at(role).change != Change::none;
    }

    bool is_signed(const std::string& role) const {
        const auto file = read_file_of(roles_.at(role), role);
        const auto authority = authority_of(roles_, role);
        return file.ok() && authority.ok() &&
               check_signatures(*file, authority->first, authority->second, role).ok();
    }

    bool root_goes_last() const {
        if (!before_) return false;
        for (const char* role : {"targets", "snapshot", "timestamp"}) {
            const auto file = read_file_of(roles_.at(role), role);
            CHECK(file.ok());
            if (!check_signatures(*file, before_->keys, before_->roles.at(role), role).ok())
                return false;
        }
        return true;
    }

    Status prepare_role(const std::string& role) {
        RoleFile& file = roles_.at(role);
        // A delegator's new keys ask for new signatures below it.
        if (file.change == Change::none && !is_signed(role)) file.change = Change::edited;
        if (file.change != Change::edited) return {};
        return sign(role);
    }

    Status prepare_snapshot() {
        RoleFile& file = roles_.at("snapshot");
        Json meta = Json::object();
        for (const auto& [role, other] : roles_)
            if (other.body->at("_type") == "targets")
                meta[role + ".json"] = {{"version", other.body->at("version")}};
        const bool same = file.change == Change::none && meta == file.body->at("meta");
        if (same && is_signed("snapshot")) return {};
        edit(file)["meta"] = std::move(meta);
        return sign("snapshot");
    }

    Status prepare_timestamp() {
        Json& body = edit(roles_.at("timestamp"));
        const Json& snapshot = *roles_.at("snapshot").body;
        body["meta"] = {{"snapshot.json", {{"version", snapshot.at("version")}}}};
        body["signed_at"] = date_time_text(now_s_);
        return sign("timestamp");
    }

    // Keys that may usefully sign: the role's own, and for top-level roles those of the root that
    // readers may still have.
    Result<std::set<std::string>> useful_keyids(const std::string& role) const {
        const auto authority = TRY(authority_of(roles_, role));
        std::set<std::string> ids(authority.second.keyids.begin(), authority.second.keyids.end());
        if (before_ && is_top_level_role(role)) {
            const auto& old = before_->roles.at(role).keyids;
            ids.insert(old.begin(), old.end());
        }
        return ids;
    }

    Status sign(const std::string& role) {
        RoleFile& file = roles_.at(role);
        Json& body = edit(file);
        body["version"] = file.version_on_tree + 1;
        body["expires"] = date_time_text(now_s_ + lifetime_s(role));
        file.bytes = file_text(body, Json::array());
        const auto ids = TRY(useful_keyids(role));
        for (const Signer* signer : signers_)
            if (ids.contains(signer->keyid())) file.bytes = TRY(sign_file(file.bytes, *signer));
        const auto [keys, role_keys] = TRY(authority_of(roles_, role));
        TRY(check_enough(role, keys, role_keys));
        if (role == "root" && before_)
            TRY(check_enough(role, before_->keys, before_->roles.at("root")));
        return {};
    }

    Status check_enough(const std::string& role, const Keys& keys, const RoleKeys& needed) const {
        const Envelope file = TRY(read_file_of(roles_.at(role), role));
        const std::int64_t missing = needed.threshold - count_signatures(file, keys, needed);
        if (missing <= 0) return {};
        std::string names;
        for (const std::string& keyid : needed.keyids)
            if (std::none_of(file.signatures.begin(), file.signatures.end(),
                             [&](const Signature& s) { return s.keyid == keyid; }))
                names += (names.empty() ? "" : ", ") + keyid.substr(0, 8);
        return error(Code::unauthenticated, role + ".json needs " + std::to_string(missing) +
                                                " more signature(s), by: " + names +
                                                " (bring that key, or sign a draft elsewhere)");
    }

    RoleFiles roles_;
    std::optional<Root> before_;
    const Signers& signers_;
    std::int64_t now_s_;
};

}  // namespace

Result<std::string> sign_file(const std::string& bytes, const Signer& signer) {
    const Json tree = TRY(parse_json(bytes, "the file to sign"));
    const Json* body = TRY(json_object(tree, "signed", "the file to sign"));
    const std::string keyid = signer.keyid();
    Json signatures = *TRY(json_array(tree, "signatures", "the file to sign"));
    for (const Json& item : signatures) TRY(json_string(item, "keyid", "the file to sign"));
    signatures.erase(std::remove_if(signatures.begin(), signatures.end(),
                                    [&](const Json& item) { return item.at("keyid") == keyid; }),
                     signatures.end());
    const std::string message = TRY(canonical_json(*body));
    const std::string hex = TRY(signer.sign(as_bytes(message)));
    signatures.push_back({{"keyid", keyid}, {"sig", hex}});
    std::sort(signatures.begin(), signatures.end(),
              [](const Json& a, const Json& b) { return a.at("keyid") < b.at("keyid"); });
    return file_text(*body, signatures);
}

Result<std::string> Repository::draft(const std::string& role, std::int64_t now_s) const {
    const auto at = state_->roles.find(role);
    if (at == state_->roles.end() || role == "snapshot" || role == "timestamp")
        return error(Code::not_found, "the repository has no role " + role + " to draft");
    Json body = *at->second.body;
    body["version"] = at->second.version_on_tree + 1;
    body["expires"] = date_time_text(now_s + lifetime_s(role));
    return file_text(body, Json::array());
}

Status Repository::commit(const Signers& signers, std::int64_t now_s) {
    Publication publication(state_->roles, state_->root_on_tree, signers, now_s);
    TRY(publication.prepare());
    if (publication.empty()) return {};
    const auto current = state_->tree->read(metadata_path("timestamp", 0));
    if (!current.ok() && current.error().code != Code::not_found) return current.error();
    if ((current.ok() ? *current : std::string()) != state_->timestamp_on_tree)
        return retryable(Code::aborted,
                         "somebody else published since this tree was read "
                         "(read it again and repeat the edit)");
    TRY(publication.write(*state_->tree));
    state_->roles = publication.roles();
    for (auto& [role, file] : state_->roles) {
        file.version_on_tree = file.body->at("version").get<std::int64_t>();
        file.change = Change::none;
    }
    state_->root_on_tree = state_->roles.at("root").bytes;
    state_->timestamp_on_tree = state_->roles.at("timestamp").bytes;
    return {};
}

Result<Resigned> Repository::resign_if_needed(const Signers& signers, std::int64_t now_s) {
    Resigned result;
    for (auto& [role, file] : state_->roles) {
        const auto expires = parse_date_time(file.body->at("expires").get<std::string>());
        CHECK(expires.ok());
        if ((*expires - now_s) * 3 >= lifetime_s(role)) continue;
        const auto [keys, role_keys] = TRY(authority_of(state_->roles, role));
        std::set<std::string> able;
        for (const Signer* signer : signers)
            for (const std::string& keyid : role_keys.keyids)
                if (signer->keyid() == keyid) able.insert(keyid);
        if (static_cast<std::int64_t>(able.size()) < role_keys.threshold) {
            result.keys_absent.push_back({role, *expires});
            continue;
        }
        file.change = RoleFile::Change::edited;
        result.roles.push_back(role);
    }
    TRY(commit(signers, now_s));
    return result;
}

}  // namespace skiff::trust
