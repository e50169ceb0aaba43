// The inside of Repository, shared by its .cc files.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trust/repository.h"

namespace skiff::trust {

struct RoleFile {
    enum class Change {
        none,
        edited,  // `body` is ahead of `bytes`: needs a version, an expiry and signatures
        ready,   // `bytes` are signed and wait for being written
    };
    std::shared_ptr<Json> body;  // the "signed" part; shared by copies, changed through edit()
    std::string bytes;
    std::int64_t version_on_tree = 0;  // 0: not there yet
    Change change = Change::none;
};

// The file's body, of its own from now on, and marked as edited. Valid until the next edit.
Json& edit(RoleFile& file);
RoleFile new_file(Json body);

using RoleFiles = std::map<std::string, RoleFile>;

struct Repository::State {
    Tree* tree = nullptr;
    RoleFiles roles;
    std::string root_on_tree;       // bytes; empty before the first commit
    std::string timestamp_on_tree;  // the same
};

// Keys and threshold that `role`'s delegator gives it. Code::not_found when nobody delegates to it.
Result<std::pair<Keys, RoleKeys>> authority_of(const RoleFiles& roles, const std::string& role);

Json new_targets_body(const std::string& role);
std::string file_text(const Json& body, const Json& signatures);
std::string metadata_path(const std::string& role, std::int64_t version);

}  // namespace skiff::trust
