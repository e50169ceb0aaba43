// Rulesets: what a device decides with. The GrowthBook SDK payload form (docs/formats/ruleset.md),
// evaluated by one pure function; the same code serves device, server, preview and simulator.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace skiff::decide {

// Why a value was chosen; GrowthBook's words.
enum class Source {
    unknown_feature,
    default_value,
    force,
    experiment,
    prerequisite,         // a gate in front of the feature is closed
    cyclic_prerequisite,  // features that wait for each other
};
std::string_view source_name(Source source);  // "unknownFeature", "defaultValue", ...

struct Decision {
    std::shared_ptr<const Json> value;  // null JSON for an unknown feature
    Source source = Source::unknown_feature;
    std::string rule_id = {};
    // Source::experiment:
    std::string experiment = {};
    int variation = -1;
    std::string variation_key = {};  // "B", "control", or the index as text
    double bucket = 0;               // 0 <= bucket < 1
    // One line for `why` and `skiff explain`: "rollout-17 gives B to buckets 0-0.1, this device is
    // at 0.0312".
    std::string reason = {};
};

// Immutable; any thread.
class Ruleset {
 public:
    // `what` names the document in errors. Unknown members are kept and ignored; members of the
    // wrong kind are errors.
    static Result<Ruleset> parse(std::string_view text, std::string_view what);

    // Pure: the same ruleset, feature and attributes give the same decision anywhere. `attributes`
    // is a JSON object: installation_id, user_id, app_version, os, arch, device_class, ... A rule
    // whose hashAttribute is absent or empty does not apply.
    Decision evaluate(std::string_view feature, const Json& attributes) const;

    std::vector<std::string> features() const;
    const Json& json() const;

 private:
    explicit Ruleset(std::shared_ptr<const Json> document) : document_(std::move(document)) {}
    std::shared_ptr<const Json> document_;  // {"features": {...}, "savedGroups": {...}}
};

}  // namespace skiff::decide
