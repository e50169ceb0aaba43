// Writes rollouts into rulesets: the one place that knows how a percentage becomes ranges (design:
// from both ends, so that nobody leaves B or control as the rollout grows).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace skiff::decide {

// "model.digits": the feature that picks a model's version.
std::string model_feature(std::string_view model);

// At p: B in [0,p), control in [1-min(p,1-p),1).
std::vector<std::pair<double, double>> rollout_ranges(double p);

struct RolloutState {
    std::string id;  // "rollout-17"
    std::int64_t from = 0, to = 0;
    double percent = 0;          // 0..100
    std::string condition = {};  // JSON text in GrowthBook's form; empty: everyone
};

// All take and give the whole ruleset document ({"features": {...}}); nothing else in it is
// touched.
Json empty_model_ruleset(std::string_view model, std::optional<std::int64_t> default_version);
std::optional<std::int64_t> default_version(const Json& ruleset, std::string_view model);
std::optional<RolloutState> running_rollout(const Json& ruleset, std::string_view model);
// Errors: failed_precondition when one runs already.
Result<Json> start_rollout(Json ruleset, std::string_view model, const RolloutState& rollout);
Result<Json> set_percent(Json ruleset, std::string_view model, double percent);
Result<Json> undo_rollout(Json ruleset,
                          std::string_view model);  // the rule goes, the default stays
Result<Json> finish_rollout(Json ruleset,
                            std::string_view model);  // the default moves to B, the rule goes
Json set_default_version(Json ruleset, std::string_view model, std::int64_t version);

}  // namespace skiff::decide
