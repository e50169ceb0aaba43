#include "decide/condition.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <vector>

namespace skiff::decide {

namespace {

enum class Case { exact, folded };

const Json null_value;

std::string folded(const std::string& text) {
    std::string lower = text;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return lower;
}

const Json& at_path(const Json& object, const std::string& path) {
    const Json* current = &object;
    for (std::size_t start = 0; start <= path.size();) {
        const std::size_t dot = std::min(path.find('.', start), path.size());
        if (!current->is_object()) return null_value;
        const auto it = current->find(path.substr(start, dot - start));
        if (it == current->end()) return null_value;
        current = &*it;
        start = dot + 1;
    }
    return *current;
}

bool is_operator_object(const Json& value) {
    if (!value.is_object() || value.empty()) return false;
    for (const auto& [key, _] : value.items())
        if (key.empty() || key[0] != '$') return false;
    return true;
}

// JavaScript's Number(): what < and > do to a side that is no number.
double to_number(const Json& value) {
    if (value.is_number()) return value.get<double>();
    if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
    if (value.is_null()) return 0;
    if (!value.is_string()) return std::numeric_limits<double>::quiet_NaN();
    const auto& text = value.get_ref<const std::string&>();
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) return 0;
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    while (*end == ' ') ++end;
    return *end ? std::numeric_limits<double>::quiet_NaN() : number;
}

// -1, 0, 1; none when the two cannot be ordered.
std::optional<int> compare(const Json& a, const Json& b) {
    if (a.is_string() && b.is_string()) {
        const int order = a.get_ref<const std::string&>().compare(b.get_ref<const std::string&>());
        return order < 0 ? -1 : order > 0;
    }
    const double x = to_number(a), y = to_number(b);
    if (std::isnan(x) || std::isnan(y)) return std::nullopt;
    return x < y ? -1 : x > y;
}

std::string version_of(const Json& value) {
    if (value.is_number()) return padded_version(value.dump());
    if (value.is_string() && !value.get_ref<const std::string&>().empty())
        return padded_version(value.get_ref<const std::string&>());
    return padded_version("0");
}

const char* type_of(const Json& value) {
    if (value.is_null()) return "null";
    if (value.is_boolean()) return "boolean";
    if (value.is_number()) return "number";
    if (value.is_string()) return "string";
    return value.is_array() ? "array" : "object";
}

bool same(const Json& a, const Json& b, Case letters) {
    if (letters == Case::folded && a.is_string() && b.is_string())
        return folded(a.get_ref<const std::string&>()) == folded(b.get_ref<const std::string&>());
    return a == b;
}

bool contains(const Json& list, const Json& value, Case letters) {
    if (!list.is_array()) return false;
    const auto among = [&](const Json& one) {
        return std::any_of(list.begin(), list.end(),
                           [&](const Json& item) { return same(item, one, letters); });
    };
    return value.is_array() ? std::any_of(value.begin(), value.end(), among) : among(value);
}

bool matches_pattern(const Json& pattern, const Json& value, Case letters) {
    if (!pattern.is_string() || !value.is_string()) return false;
    RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(letters == Case::exact);
    const RE2 expression(pattern.get_ref<const std::string&>(), options);
    return expression.ok() && RE2::PartialMatch(value.get_ref<const std::string&>(), expression);
}

class Evaluator {
 public:
    explicit Evaluator(const Json& saved_groups) : saved_groups_(saved_groups) {}

    bool condition(const Json& condition, const Json& object) const {
        if (!condition.is_object()) return false;
        for (const auto& [key, value] : condition.items())
            if (!member(key, value, object)) return false;
        return true;
    }

 private:
    bool member(const std::string& key, const Json& value, const Json& object) const {
        if (key == "$or") return any(value, object);
        if (key == "$nor") return !any(value, object);
        if (key == "$and")
            return value.is_array() && std::all_of(value.begin(), value.end(), [&](const Json& c) {
                       return condition(c, object);
                   });
        if (key == "$not") return !condition(value, object);
        return value_matches(value, at_path(object, key), Case::exact);
    }

    bool any(const Json& conditions, const Json& object) const {
        if (!conditions.is_array()) return false;
        return conditions.empty() ||
               std::any_of(conditions.begin(), conditions.end(),
                           [&](const Json& c) { return condition(c, object); });
    }

    bool value_matches(const Json& wanted, const Json& actual, Case letters) const {
        if (is_operator_object(wanted)) {
            for (const auto& [name, operand] : wanted.items())
                if (!apply(name, operand, actual)) return false;
            return true;
        }
        if (wanted.is_string()) {
            if (actual.is_null() || actual.is_structured()) return false;
            const Json text = actual.is_string() ? actual : Json(actual.dump());
            return same(text, wanted, letters);
        }
        if (wanted.is_number()) return !actual.is_null() && compare(actual, wanted) == 0;
        if (wanted.is_boolean()) return !actual.is_null() && truth(actual) == wanted.get<bool>();
        return actual == wanted;
    }

    static bool truth(const Json& value) {
        if (value.is_boolean()) return value.get<bool>();
        if (value.is_number()) return value.get<double>() != 0;
        if (value.is_string()) return !value.get_ref<const std::string&>().empty();
        return value.is_structured();
    }

    bool all_in(const Json& wanted, const Json& actual, Case letters) const {
        if (!actual.is_array() || !wanted.is_array()) return false;
        return std::all_of(wanted.begin(), wanted.end(), [&](const Json& w) {
            return std::any_of(actual.begin(), actual.end(),
                               [&](const Json& a) { return value_matches(w, a, letters); });
        });
    }

    bool any_element(const Json& wanted, const Json& actual) const {
        if (!actual.is_array()) return false;
        return std::any_of(actual.begin(), actual.end(), [&](const Json& element) {
            return is_operator_object(wanted) ? value_matches(wanted, element, Case::exact)
                                              : condition(wanted, element);
        });
    }

    bool in_group(const Json& name, const Json& actual) const {
        if (!name.is_string() || !saved_groups_.is_object()) return false;
        const auto group = saved_groups_.find(name.get_ref<const std::string&>());
        return group != saved_groups_.end() && contains(*group, actual, Case::exact);
    }

    bool apply(const std::string& name, const Json& operand, const Json& actual) const {
        if (name.starts_with("$v")) return apply_version(name, operand, actual);
        if (name == "$eq") return actual == operand;
        if (name == "$ne") return actual != operand;
        if (name == "$lt") return compare(actual, operand) == -1;
        if (name == "$gt") return compare(actual, operand) == 1;
        if (name == "$lte") return compare(actual, operand).value_or(1) <= 0;
        if (name == "$gte") return compare(actual, operand).value_or(-1) >= 0;
        if (name == "$exists") return truth(operand) ? !actual.is_null() : actual.is_null();
        if (name == "$in") return contains(operand, actual, Case::exact);
        if (name == "$ini") return contains(operand, actual, Case::folded);
        if (name == "$nin") return operand.is_array() && !contains(operand, actual, Case::exact);
        if (name == "$nini") return operand.is_array() && !contains(operand, actual, Case::folded);
        if (name == "$not") return !value_matches(operand, actual, Case::exact);
        if (name == "$size")
            return actual.is_array() && value_matches(operand, Json(actual.size()), Case::exact);
        if (name == "$elemMatch") return any_element(operand, actual);
        if (name == "$all") return all_in(operand, actual, Case::exact);
        if (name == "$alli") return all_in(operand, actual, Case::folded);
        if (name == "$regex") return matches_pattern(operand, actual, Case::exact);
        if (name == "$regexi") return matches_pattern(operand, actual, Case::folded);
        if (name == "$type") return operand == type_of(actual);
        if (name == "$inGroup") return in_group(operand, actual);
        if (name == "$notInGroup") return !in_group(operand, actual);
        return false;
    }

    static bool apply_version(const std::string& name, const Json& operand, const Json& actual) {
        const int order = version_of(actual).compare(version_of(operand));
        if (name == "$veq") return order == 0;
        if (name == "$vne") return order != 0;
        if (name == "$vgt") return order > 0;
        if (name == "$vgte") return order >= 0;
        if (name == "$vlt") return order < 0;
        if (name == "$vlte") return order <= 0;
        return false;
    }

    const Json& saved_groups_;
};

constexpr std::string_view joining[] = {"$and", "$or", "$nor", "$not"};
constexpr std::string_view comparing[] = {
    "$eq",        "$ne",    "$lt",   "$lte",    "$gt",      "$gte",       "$in",
    "$nin",       "$ini",   "$nini", "$all",    "$alli",    "$size",      "$exists",
    "$elemMatch", "$regex", "$not",  "$regexi", "$type",    "$veq",       "$vne",
    "$vlt",       "$vlte",  "$vgt",  "$vgte",   "$inGroup", "$notInGroup"};
constexpr std::string_view taking_lists[] = {"$and", "$or",   "$nor", "$in",  "$nin",
                                             "$ini", "$nini", "$all", "$alli"};

Error refused(const std::string& why) {
    return error(Code::invalid_argument, "the condition " + why);
}

Status check_operator(const std::string& name, const Json& operand,
                      std::span<const std::string_view> known) {
    if (std::ranges::find(known, name) == known.end()) {
        std::string names;
        for (const std::string_view one : known)
            names += (names.empty() ? "" : ", ") + std::string(one);
        return refused("has the operator " + name + " (there is: " + names + ")");
    }
    const bool list = std::ranges::find(taking_lists, name) != std::end(taking_lists);
    if (list && !operand.is_array()) return refused("gives " + name + " no list: [...]");
    return {};
}

Status check_value(const Json& wanted) {
    if (!wanted.is_object()) return {};
    const bool any = std::ranges::any_of(
        wanted.items(), [](const auto& member) { return member.key().starts_with("$"); });
    if (!any) return {};
    for (const auto& [name, operand] : wanted.items()) {
        TRY(check_operator(name, operand, comparing));
        if (name == "$not") TRY(check_value(operand));
        if (name == "$elemMatch")
            TRY(is_operator_object(operand) ? check_value(operand) : check_condition(operand));
    }
    return {};
}

}  // namespace

Status check_condition(const Json& condition) {
    if (!condition.is_object())
        return refused("is no object (write one like {\"app_version\": {\"$vgte\": \"3.2\"}})");
    for (const auto& [key, value] : condition.items()) {
        if (!key.starts_with("$")) {
            TRY(check_value(value));
            continue;
        }
        TRY(check_operator(key, value, joining));
        if (key == "$not") TRY(check_condition(value));
        if (value.is_array())
            for (const Json& part : value) TRY(check_condition(part));
    }
    return {};
}

std::set<std::string> condition_attributes(const Json& condition) {
    std::set<std::string> names;
    if (condition.is_array())
        for (const Json& part : condition) names.merge(condition_attributes(part));
    if (!condition.is_object()) return names;
    for (const auto& [key, value] : condition.items())
        if (key.starts_with("$"))
            names.merge(condition_attributes(value));
        else
            names.insert(key);
    return names;
}

std::string padded_version(std::string_view version) {
    if (version.starts_with('v')) version.remove_prefix(1);
    version = version.substr(0, version.find('+'));
    std::vector<std::string> parts(1);
    for (const char c : version) {
        if (c == '-' || c == '.')
            parts.emplace_back();
        else
            parts.back() += c;
    }
    if (parts.size() == 3) parts.emplace_back("~");  // a release sorts after its pre-releases
    std::string padded;
    for (const std::string& part : parts) {
        const bool number =
            !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
        padded += '-';
        if (number && part.size() < 5) padded.append(5 - part.size(), ' ');
        padded += part;
    }
    return padded.substr(1);
}

bool condition_holds(const Json& condition, const Json& attributes, const Json& saved_groups) {
    return Evaluator(saved_groups).condition(condition, attributes);
}

}  // namespace skiff::decide
