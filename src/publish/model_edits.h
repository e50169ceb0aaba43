// What publishers do to a model that is there: aliases, revocations, rollouts. Edits of a
// repository that change() signs and hands over; nothing is published before that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "publish/home.h"
#include "publish/registry.h"

namespace skiff::publish {

// "champion" moves the default: everyone gets it at once. Code::failed_precondition while a rollout
// runs (for champion), not_found, revoked, invalid_argument.
Status set_alias(trust::Repository& repository, StagedTree& tree, ModelState& model,
                 const std::string& alias, std::uint32_t version);
// Code::not_found; champion cannot be removed.
Status remove_alias(trust::Repository& repository, StagedTree& tree, ModelState& model,
                    const std::string& alias);

struct Revoked {
    std::optional<std::uint32_t> default_before, default_now;
    std::string rollout;                    // what happened to it, in words; empty: nothing
    std::vector<std::string> aliases;       // that are gone
    std::vector<std::uint32_t> same_bytes;  // versions that are the same file and stay
};
// Takes the version's targets out and writes it into the signed `revoked`. A default, a rollout and
// aliases that pointed at it move: the default to `before`, else to the highest version below, else
// to the B of a running rollout, else to none (devices go back to what is bundled).
Result<Revoked> revoke(trust::Repository& repository, StagedTree& tree, ModelState& model,
                       std::uint32_t version, const std::string& why);

struct RolloutStep {
    std::string id;  // "rollout-17"; empty when the default moved without one
    std::uint32_t from = 0, to = 0;
    double percent = 0;
    bool done = false;  // at 100: the default moved, the rule is gone
};
// Starts one, or lets the running one to the same version grow. 100 moves the default for everyone.
// `condition` is JSON text in GrowthBook's form, or empty; a running one keeps its own.
Result<RolloutStep> advance_rollout(trust::Repository& repository, StagedTree& tree,
                                    ModelState& model, std::uint32_t to, double percent,
                                    const std::string& condition);
struct Undone {
    std::string id;  // of the rollout that was removed; empty: the default moved back
    std::uint32_t from = 0, to = 0;  // what they had (of a rollout: its B), what they get
};
Result<Undone> undo_rollout(trust::Repository& repository, StagedTree& tree, ModelState& model);

// The ruleset with Skiff's bookkeeping, as the model's fields say; written when it is another.
// Devices must be able to read it: Code::invalid_argument.
Status write_ruleset(trust::Repository& repository, StagedTree& tree, ModelState& model,
                     Json ruleset);

}  // namespace skiff::publish
