#include "device/experiment.h"

#include <nlohmann/json.hpp>

#include "decide/rollout.h"

namespace skiff::device {

namespace {

const Json empty_list = Json::array();

// A member that is a list; else an empty one.
const Json& list_in(const Json& object, const char* key) {
    if (!object.is_object()) return empty_list;
    const auto at = object.find(key);
    return at != object.end() && at->is_array() ? *at : empty_list;
}

// GrowthBook's SDKs name an experiment by its key, or by the feature when it has none.
bool is_experiment(const Json& rule, const std::string& feature, const std::string& experiment) {
    if (list_in(rule, "variations").empty()) return false;
    const auto key = rule.find("key");
    return key != rule.end() && key->is_string() ? *key == experiment : feature == experiment;
}

}  // namespace

std::vector<std::uint32_t> experiment_versions(const Json& ruleset, const std::string& model,
                                               const std::string& experiment) {
    std::vector<std::uint32_t> versions;
    const std::string feature = decide::model_feature(model);
    const auto features = ruleset.find("features");
    if (features == ruleset.end() || !features->contains(feature)) return versions;
    for (const Json& rule : list_in((*features)[feature], "rules")) {
        if (!is_experiment(rule, feature, experiment)) continue;
        for (const Json& arm : list_in(rule, "variations"))
            if (arm.is_object() && arm.contains("version") && arm["version"].is_number_unsigned())
                versions.push_back(arm["version"].get<std::uint32_t>());
    }
    return versions;
}

bool has_experiment(const Json& ruleset) {
    const auto features = ruleset.find("features");
    if (features == ruleset.end() || !features->is_object()) return false;
    for (const auto& [name, feature] : features->items())
        for (const Json& rule : list_in(feature, "rules"))
            if (!list_in(rule, "variations").empty()) return true;
    return false;
}

}  // namespace skiff::device
