// How a Skiff repository uses TUF: which roles there are, what each may sign, for how long
// (docs/formats/trust.md).
//
//   root, targets         offline; targets only delegates
//   models                publishing keys; only delegates, one role per model
//   models.<name>         models/<name>/<file>; a device that uses one model reads one role
//   rulesets              online key; only delegates, always to the same eight roles
//   rulesets.<0 to 7>     rulesets/<name>.json, divided by the path's hash
//   deltas                online key; deltas/<file>
//   snapshot, timestamp   online key
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace skiff::trust {

// 1 to 64 of A-Z a-z 0-9 _ . -, not beginning with a dot or a dash: safe in paths, URLs, globs and
// role names.
bool is_plain_name(std::string_view name);

constexpr int ruleset_roles = 8;

std::string model_role(std::string_view model);   // "models.digits"
std::string ruleset_role(std::string_view path);  // "rulesets.3" for "rulesets/digits.json"

// The roles that lead from targets.json to a target: {"models", "models.digits"} for
// "models/digits/3.tflite". Code::invalid_argument for a path that no role of ours may sign.
Result<std::vector<std::string>> roles_for_target(const std::string& path);
// Who delegates to a role: "root" for the top-level ones.
std::string delegator_of(const std::string& role);

// What a delegation to `role` covers: globs, or, for the eight, hash prefixes.
struct Coverage {
    std::vector<std::string> paths, path_hash_prefixes;
};
Coverage coverage_of(const std::string& role);

std::int64_t lifetime_s(const std::string& role);  // from signing to expiry

}  // namespace skiff::trust
