#include "decide/rollout.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "decide/condition.h"

namespace skiff::decide {

namespace {

const Json* find_feature(const Json& ruleset, std::string_view model) {
    if (!ruleset.is_object() || !ruleset.contains("features")) return nullptr;
    const Json& features = ruleset["features"];
    const auto it = features.find(model_feature(model));
    return it == features.end() ? nullptr : &*it;
}

bool is_rollout(const Json& rule) {
    const auto id = rule.find("id");
    return id != rule.end() && id->is_string() &&
           id->get_ref<const std::string&>().starts_with("rollout-");
}

// The model's rollout rule, or null.
const Json* find_rule(const Json& ruleset, std::string_view model) {
    const Json* feature = find_feature(ruleset, model);
    if (!feature || !feature->contains("rules")) return nullptr;
    for (const Json& rule : (*feature)["rules"])
        if (rule.is_object() && is_rollout(rule)) return &rule;
    return nullptr;
}
Json& rule_of(Json& ruleset, std::string_view model) {
    return const_cast<Json&>(*find_rule(ruleset, model));
}

Json ranges_json(double percent) {
    Json ranges = Json::array();
    for (const auto& [from, to] : rollout_ranges(percent / 100)) ranges.push_back({from, to});
    return ranges;
}

Status check_percent(double percent) {
    if (std::isfinite(percent) && percent >= 0 && percent <= 100) return {};
    return error(Code::invalid_argument, "a rollout's percent lies between 0 and 100");
}

Error none_runs(std::string_view model) {
    return error(Code::failed_precondition, "no rollout of " + std::string(model) +
                                                " runs (start one with: skiff rollout start " +
                                                std::string(model) + ":N --percent 10)");
}

void remove_rule(Json& ruleset, std::string_view model) {
    Json& rules = ruleset["features"][model_feature(model)]["rules"];
    rules.erase(std::remove_if(rules.begin(), rules.end(), is_rollout), rules.end());
}

}  // namespace

std::string model_feature(std::string_view model) {
    return "model." + std::string(model);
}

std::vector<std::pair<double, double>> rollout_ranges(double p) {
    return {{0, p}, {1 - std::min(p, 1 - p), 1}};
}

Json empty_model_ruleset(std::string_view model, std::optional<std::int64_t> version) {
    Json feature = {{"defaultValue", nullptr}, {"rules", Json::array()}};
    if (version) feature["defaultValue"] = {{"version", *version}};
    return {{"features", {{model_feature(model), std::move(feature)}}}};
}

std::optional<std::int64_t> default_version(const Json& ruleset, std::string_view model) {
    const Json* feature = find_feature(ruleset, model);
    if (!feature || !feature->contains("defaultValue")) return std::nullopt;
    const Json& value = (*feature)["defaultValue"];
    if (!value.is_object() || !value.contains("version") || !value["version"].is_number_integer())
        return std::nullopt;
    return value["version"].get<std::int64_t>();
}

std::optional<RolloutState> running_rollout(const Json& ruleset, std::string_view model) {
    const Json* rule = find_rule(ruleset, model);
    if (!rule) return std::nullopt;
    RolloutState state;
    state.id = (*rule)["id"];
    state.to = (*rule)["variations"][0]["version"];
    state.from = (*rule)["variations"][1]["version"];
    state.percent = (*rule)["ranges"][0][1].get<double>() * 100;
    if (rule->contains("condition")) state.condition = (*rule)["condition"].dump();
    return state;
}

Result<Json> start_rollout(Json ruleset, std::string_view model, const RolloutState& rollout) {
    TRY(check_percent(rollout.percent));
    if (const auto running = running_rollout(ruleset, model))
        return error(Code::failed_precondition,
                     running->id + " of " + std::string(model) +
                         " runs already: finish it with --percent 100 or undo it first");
    Json rule = {
        {"id", rollout.id},
        {"key", rollout.id},
        {"seed", rollout.id},
        {"hashVersion", 2},
        {"hashAttribute", "installation_id"},
        {"disableStickyBucketing", true},
        {"variations", Json::array({{{"version", rollout.to}}, {{"version", rollout.from}}})},
        {"meta", Json::array({{{"key", "B"}}, {{"key", "control"}}})},
        {"ranges", ranges_json(rollout.percent)}};
    if (!rollout.condition.empty()) {
        rule["condition"] = TRY(parse_json(rollout.condition, "the condition"));
        TRY(check_condition(rule["condition"]));
    }
    Json& rules = ruleset["features"][model_feature(model)]["rules"];
    if (!rules.is_array()) rules = Json::array();
    rules.push_back(std::move(rule));
    return ruleset;
}

Result<Json> set_percent(Json ruleset, std::string_view model, double percent) {
    TRY(check_percent(percent));
    if (!find_rule(ruleset, model)) return none_runs(model);
    rule_of(ruleset, model)["ranges"] = ranges_json(percent);
    return ruleset;
}

Result<Json> undo_rollout(Json ruleset, std::string_view model) {
    if (!find_rule(ruleset, model)) return none_runs(model);
    remove_rule(ruleset, model);
    return ruleset;
}

Result<Json> finish_rollout(Json ruleset, std::string_view model) {
    const auto running = running_rollout(ruleset, model);
    if (!running) return none_runs(model);
    remove_rule(ruleset, model);
    return set_default_version(std::move(ruleset), model, running->to);
}

Json set_default_version(Json ruleset, std::string_view model, std::int64_t version) {
    ruleset["features"][model_feature(model)]["defaultValue"] = {{"version", version}};
    return ruleset;
}

}  // namespace skiff::decide
