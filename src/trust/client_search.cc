// Who vouches for a target: the walk over delegations.
#include <algorithm>
#include <set>

#include "trust/client.h"

namespace skiff::trust {

namespace {

std::string hashed_name(const std::string& path, const Hashes& hashes) {
    const auto sha256 = hashes.find("sha256");
    const std::string& hash = sha256 != hashes.end() ? sha256->second : hashes.begin()->second;
    const std::size_t name = path.rfind('/') + 1;  // npos + 1 is 0
    return path.substr(0, name) + hash + "." + path.substr(name);
}

}  // namespace

Status Client::check_ready(Source source) const {
    if (source == Source::repository && !refreshed_)
        return error(Code::unavailable, "the last refresh() did not succeed: refresh first");
    if (!trusted_.has_root())
        return error(Code::unavailable, "no trusted root is loaded: load() or refresh() first");
    return {};
}

TargetInfo Client::info_of(const std::string& path, const TargetMeta& meta,
                           const std::string& role) const {
    TargetInfo info{path, meta.length, meta.hashes, meta.custom, role, {}};
    info.url_path =
        quote_path(trusted_.root().consistent_snapshot ? hashed_name(path, meta.hashes) : path);
    return info;
}

// Pre-order, depth first. A role or delegation that cannot be had or verified ends the search:
// going on would let whoever withholds a file choose a less trusted role.
Result<TargetInfo> Client::find_target(const std::string& path, Source source) {
    TRY(check_ready(source));
    struct Visit {
        std::string name;
        RoleKeys role;
        Role delegator;  // null: the root
    };
    std::vector<Visit> stack{{"targets", trusted_.root().roles.at("targets"), nullptr}};
    std::set<std::string> visited;
    while (!stack.empty() && visited.size() < max_searched_roles) {
        const Visit visit = std::move(stack.back());
        stack.pop_back();
        if (!visited.insert(visit.name).second) continue;
        const Keys& keys = visit.delegator ? visit.delegator->keys : trusted_.root().keys;
        const Role role = TRY(load_role(visit.name, keys, visit.role, source));
        const auto found = role->targets.find(path);
        if (found != role->targets.end()) return info_of(path, found->second, visit.name);
        std::vector<Visit> children;
        for (const Delegation& delegation : role->delegations) {
            if (!delegation.matches(path)) continue;
            children.push_back({delegation.name, delegation.role, role});
            if (delegation.terminating) {
                stack.clear();
                break;
            }
        }
        stack.insert(stack.end(), std::make_move_iterator(children.rbegin()),
                     std::make_move_iterator(children.rend()));
    }
    return error(Code::not_found, "no trusted role vouches for " + path);
}

Result<Targets> Client::role(std::span<const std::string> chain, Source source) {
    TRY(check_ready(source));
    Role role = TRY(load_top_targets(source));
    std::vector<Delegation> way;
    for (const std::string& name : chain) {
        const auto at = std::find_if(role->delegations.begin(), role->delegations.end(),
                                     [&](const Delegation& d) { return d.name == name; });
        if (at == role->delegations.end())
            return error(Code::not_found, "nobody delegates to the role " + name);
        way.push_back(*at);
        role = TRY(load_role(name, role->keys, at->role, source));
    }
    Targets targets = *role;
    std::erase_if(targets.targets, [&](const auto& target) {
        return std::any_of(way.begin(), way.end(),
                           [&](const Delegation& d) { return !d.matches(target.first); });
    });
    return targets;
}

}  // namespace skiff::trust
