// Reading models, versions, aliases and rollouts out of a repository, and naming one version.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "decide/rollout.h"
#include "decide/version_record.h"
#include "trust/repository.h"

namespace skiff::publish {

struct VersionState {
    decide::VersionRecord record;
    std::string path;  // of the main target
    std::uint64_t bytes = 0;
    std::string sha256;
};

struct ModelState {
    std::string name;
    std::map<std::uint32_t, VersionState> versions;
    std::map<std::uint32_t, std::string> revoked;  // and why
    // What they were: of those that were revoked since this is kept.
    std::map<std::uint32_t, std::string> revoked_sha256;
    std::uint32_t next_version = 1;
    std::uint32_t minimum_version = 0;
    // The ruleset, and what it says. Null when there is none yet.
    std::shared_ptr<const Json> ruleset;
    std::map<std::string, std::uint32_t> aliases;  // without champion, which is the default
    std::optional<std::uint32_t> default_version, before;
    std::optional<decide::RolloutState> rollout;
    std::int64_t rollouts = 0;  // so far: the next is rollout-<rollouts + 1>
};

// Code::not_found when there is no such model.
Result<ModelState> read_model(const trust::Repository& repository, trust::Tree& tree,
                              const std::string& name);
std::vector<std::string> model_names(const trust::Repository& repository);  // sorted

// "digits:3", "digits@champion", "digits@sha256:<hex, 8 digits at least>".
struct Reference {
    std::string model;
    std::optional<std::uint32_t> version = {};
    std::string alias = {}, sha256 = {};
};
// Code::invalid_argument: what a reference looks like.
Result<Reference> parse_reference(std::string_view text);
// "digits:3" only.
Result<Reference> parse_version_reference(std::string_view text);
// The version's entry in the model. Code::not_found with what there is, Code::revoked with why.
Result<const VersionState*> resolve(const ModelState& model, const Reference& reference);

// The bytes of a target that a role of the repository names, checked against its hash.
Result<std::string> read_target(const trust::Repository& repository, trust::Tree& tree,
                                const std::string& path);

}  // namespace skiff::publish
