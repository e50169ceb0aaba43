#include "decide/ruleset.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "decide/bucket.h"
#include "decide/condition.h"

namespace skiff::decide {

namespace {

const Json null_value;

const Json& member(const Json& object, const char* key) {
    if (!object.is_object()) return null_value;
    const auto it = object.find(key);
    return it == object.end() ? null_value : *it;
}

std::string text_or(const Json& object, const char* key, std::string otherwise) {
    const Json& value = member(object, key);
    return value.is_string() && !value.get_ref<const std::string&>().empty()
               ? value.get<std::string>()
               : std::move(otherwise);
}

int hash_version_of(const Json& rule) {
    const Json& version = member(rule, "hashVersion");
    return version.is_number_integer() ? version.get<int>() : 1;
}

std::optional<Range> range_of(const Json& value) {
    if (!value.is_array() || value.size() != 2 || !value[0].is_number() || !value[1].is_number())
        return std::nullopt;
    return Range(value[0].get<double>(), value[1].get<double>());
}

std::vector<Range> ranges_of(const Json& value) {
    std::vector<Range> ranges;
    for (const Json& item : value)
        if (const auto range = range_of(item)) ranges.push_back(*range);
    return ranges;
}

// What is hashed of the device: the attribute's text, "" when there is none.
std::string hash_value(const Json& attributes, const std::string& name) {
    const Json& value = member(attributes, name.c_str());
    if (value.is_string()) return value.get<std::string>();
    return value.is_number() || value.is_boolean() ? value.dump() : std::string();
}

std::string number_text(double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", x);
    return text;
}

bool in_namespace(const std::string& value, const Json& slice) {
    if (!slice.is_array() || slice.size() != 3 || !slice[0].is_string()) return false;
    const auto range = range_of(Json::array({slice[1], slice[2]}));
    const auto bucket = bucket_of("__" + slice[0].get<std::string>(), value, 1);
    return range && bucket && in_range(*bucket, *range);
}

class Evaluation {
 public:
    Evaluation(const Json& document, const Json& attributes)
        : features_(member(document, "features")),
          saved_groups_(member(document, "savedGroups")),
          attributes_(attributes) {}

    Decision feature(const std::string& name) {
        if (std::find(open_.begin(), open_.end(), name) != open_.end()) {
            return decided(Source::cyclic_prerequisite, null_value, name + " waits for itself");
        }
        const Json& definition = member(features_, name.c_str());
        if (definition.is_null())
            return decided(Source::unknown_feature, null_value, "the ruleset has no " + name);
        open_.push_back(name);
        std::optional<Decision> decision;
        for (const Json& rule : member(definition, "rules")) {
            decision = apply(rule, name);
            if (decision) break;
        }
        open_.pop_back();
        if (decision) return *std::move(decision);
        return decided(Source::default_value, member(definition, "defaultValue"),
                       name + " has this default");
    }

 private:
    static Decision decided(Source source, const Json& value, std::string reason) {
        Decision decision;
        decision.source = source;
        decision.value = std::make_shared<const Json>(value);
        decision.reason = std::move(reason);
        return decision;
    }

    // None: the rule does not apply, the next one is asked.
    std::optional<Decision> apply(const Json& rule, const std::string& feature_name) {
        bool open = true;
        if (auto gate = prerequisites(rule, open)) return gate;
        if (!open || filtered_out(rule)) return std::nullopt;
        if (rule.is_object() && rule.contains("force")) return force(rule, feature_name);
        if (member(rule, "variations").is_array()) return experiment(rule, feature_name);
        return std::nullopt;
    }

    std::optional<Decision> prerequisites(const Json& rule, bool& open) {
        for (const Json& parent : member(rule, "parentConditions")) {
            const Decision above = feature(text_or(parent, "id", ""));
            if (above.source == Source::cyclic_prerequisite) return above;
            const Json value = {{"value", *above.value}};
            if (condition_holds(member(parent, "condition"), value, saved_groups_)) continue;
            if (member(parent, "gate") == Json(true))
                return decided(Source::prerequisite, null_value,
                               "gated by " + text_or(parent, "id", "?"));
            open = false;
        }
        return std::nullopt;
    }

    bool filtered_out(const Json& rule) const {
        for (const Json& filter : member(rule, "filters")) {
            const std::string value = hash_value(attributes_, text_or(filter, "attribute", "id"));
            const Json& version = member(filter, "hashVersion");
            const auto bucket = bucket_of(text_or(filter, "seed", ""), value,
                                          version.is_number_integer() ? version.get<int>() : 2);
            if (value.empty() || !bucket) return true;
            const std::vector<Range> ranges = ranges_of(member(filter, "ranges"));
            if (choose_variation(*bucket, ranges) < 0) return true;
        }
        return false;
    }

    bool condition_of(const Json& rule) const {
        const Json& condition = member(rule, "condition");
        return condition.is_null() || condition_holds(condition, attributes_, saved_groups_);
    }

    std::optional<Decision> force(const Json& rule, const std::string& feature_name) const {
        if (!condition_of(rule)) return std::nullopt;
        const auto range = range_of(member(rule, "range"));
        const Json& coverage = member(rule, "coverage");
        if (range || coverage.is_number()) {
            const std::string value = hash_value(attributes_, text_or(rule, "hashAttribute", "id"));
            const auto bucket =
                bucket_of(text_or(rule, "seed", feature_name), value, hash_version_of(rule));
            if (value.empty() || !bucket) return std::nullopt;
            if (range ? !in_range(*bucket, *range)
                      : coverage.get<double>() == 0 || *bucket > coverage.get<double>())
                return std::nullopt;
        }
        Decision decision =
            decided(Source::force, rule["force"], "a rule of " + feature_name + " forces it");
        decision.rule_id = text_or(rule, "id", "");
        return decision;
    }

    std::optional<Decision> experiment(const Json& rule, const std::string& feature_name) const {
        const Json& variations = rule["variations"];
        const std::string key = text_or(rule, "key", feature_name);
        const std::string value = hash_value(attributes_, text_or(rule, "hashAttribute", "id"));
        if (variations.size() < 2 || value.empty()) return std::nullopt;
        const Json& slice = member(rule, "namespace");
        if (!rule.contains("filters") && slice.is_array() && !in_namespace(value, slice))
            return std::nullopt;
        if (!condition_of(rule)) return std::nullopt;
        const auto bucket = bucket_of(text_or(rule, "seed", key), value, hash_version_of(rule));
        if (!bucket) return std::nullopt;
        const std::vector<Range> ranges = slices(rule, static_cast<int>(variations.size()));
        const int chosen = choose_variation(*bucket, ranges);
        if (chosen < 0 || static_cast<std::size_t>(chosen) >= variations.size())
            return std::nullopt;
        const auto index = static_cast<std::size_t>(chosen);
        const Json& meta = member(rule, "meta");
        const Json& about = meta.is_array() && index < meta.size() ? meta[index] : null_value;
        if (member(about, "passthrough") == Json(true)) return std::nullopt;

        Decision decision = decided(Source::experiment, variations[index], "");
        decision.rule_id = text_or(rule, "id", "");
        decision.experiment = key;
        decision.variation = chosen;
        decision.variation_key = text_or(about, "key", std::to_string(chosen));
        decision.bucket = *bucket;
        decision.reason = key + " gives " + decision.variation_key + " to buckets " +
                          number_text(ranges[index].first) + " to " +
                          number_text(ranges[index].second) + ", this device is at " +
                          number_text(*bucket);
        return decision;
    }

    static std::vector<Range> slices(const Json& rule, int variations) {
        if (member(rule, "ranges").is_array()) return ranges_of(rule["ranges"]);
        const Json& coverage = member(rule, "coverage");
        std::vector<double> weights;
        for (const Json& weight : member(rule, "weights"))
            weights.push_back(weight.is_number() ? weight.get<double>() : 0);
        return bucket_ranges(variations, coverage.is_number() ? coverage.get<double>() : 1,
                             std::move(weights));
    }

    const Json& features_;
    const Json& saved_groups_;
    const Json& attributes_;
    std::vector<std::string> open_;  // features being evaluated, for cycles
};

// Rules are objects in an array: what evaluation relies on.
Status check(const Json& document, const std::string& what) {
    const Json& features = *TRY(json_object(document, "features", what));
    for (const auto& [name, feature] : features.items()) {
        if (!feature.is_object())
            return error(Code::invalid_argument,
                         what + ": feature \"" + name + "\" is not an object");
        const Json& rules = member(feature, "rules");
        if (!rules.is_null() && !rules.is_array())
            return error(Code::invalid_argument,
                         what + ": rules of \"" + name + "\" are not an array");
        for (const Json& rule : rules)
            if (!rule.is_object())
                return error(Code::invalid_argument,
                             what + ": a rule of \"" + name + "\" is not an object");
    }
    return {};
}

}  // namespace

std::string_view source_name(Source source) {
    constexpr std::string_view names[] = {"unknownFeature", "defaultValue", "force",
                                          "experiment",     "prerequisite", "cyclicPrerequisite"};
    return names[static_cast<std::size_t>(source)];
}

Result<Ruleset> Ruleset::parse(std::string_view text, std::string_view what) {
    Json document = TRY(parse_json(text, what));
    TRY(check(document, std::string(what)));
    return Ruleset(std::make_shared<const Json>(std::move(document)));
}

Decision Ruleset::evaluate(std::string_view feature, const Json& attributes) const {
    return Evaluation(*document_, attributes).feature(std::string(feature));
}

std::vector<std::string> Ruleset::features() const {
    std::vector<std::string> names;
    for (const auto& [name, _] : (*document_)["features"].items()) names.push_back(name);
    return names;
}

const Json& Ruleset::json() const {
    return *document_;
}

}  // namespace skiff::decide
