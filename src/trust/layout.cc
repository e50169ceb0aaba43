#include "trust/layout.h"

#include <algorithm>

#include "base/hex.h"
#include "base/sha256.h"
#include "trust/metadata.h"

namespace skiff::trust {

namespace {

constexpr std::int64_t day_s = 86400;
constexpr std::string_view models_prefix = "models.", rulesets_prefix = "rulesets.";

// Which of the eight has the paths whose hash begins with this hex digit.
int eighth_of(char digit) {
    return (digit <= '9' ? digit - '0' : digit - 'a' + 10) * ruleset_roles / 16;
}

bool is_under(const std::string& role, std::string_view prefix) {
    return role.starts_with(prefix);
}

}  // namespace

bool is_plain_name(std::string_view name) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    };
    return !name.empty() && name.size() <= 64 && name[0] != '.' && name[0] != '-' &&
           std::all_of(name.begin(), name.end(), plain);
}

std::string model_role(std::string_view model) {
    return std::string(models_prefix).append(model);
}

std::string ruleset_role(std::string_view path) {
    const int eighth = eighth_of(sha256_hex(as_bytes(path))[0]);
    return std::string(rulesets_prefix).append(std::to_string(eighth));
}

Result<std::vector<std::string>> roles_for_target(const std::string& path) {
    constexpr std::string_view models = "models/", rulesets = "rulesets/", deltas = "deltas/";
    constexpr std::string_view json = ".json";
    std::string_view rest = path;
    if (path.starts_with(models)) {
        rest.remove_prefix(models.size());
        const std::string_view model = rest.substr(0, rest.find('/'));
        const std::string_view file = rest.substr(std::min(rest.size(), model.size() + 1));
        if (is_plain_name(model) && is_plain_name(file))
            return std::vector<std::string>{"models", model_role(model)};
    } else if (path.starts_with(rulesets) && path.ends_with(json)) {
        rest.remove_prefix(rulesets.size());
        rest.remove_suffix(json.size());
        if (is_plain_name(rest)) return std::vector<std::string>{"rulesets", ruleset_role(path)};
    } else if (path.starts_with(deltas)) {
        rest.remove_prefix(deltas.size());
        if (is_plain_name(rest)) return std::vector<std::string>{"deltas"};
    }
    return error(Code::invalid_argument,
                 path + " is not models/NAME/FILE, rulesets/NAME.json or deltas/FILE");
}

std::string delegator_of(const std::string& role) {
    if (is_top_level_role(role)) return "root";
    if (is_under(role, models_prefix)) return "models";
    if (is_under(role, rulesets_prefix)) return "rulesets";
    return "targets";
}

Coverage coverage_of(const std::string& role) {
    if (role == "models") return {{"models/*/*"}, {}};
    if (is_under(role, models_prefix))
        return {{std::string("models/").append(role, models_prefix.size()).append("/*")}, {}};
    if (!is_under(role, rulesets_prefix)) return {{role + "/*"}, {}};
    Coverage coverage;
    for (const char digit : std::string_view("0123456789abcdef"))
        if (role.substr(rulesets_prefix.size()) == std::to_string(eighth_of(digit)))
            coverage.path_hash_prefixes.emplace_back(1, digit);
    return coverage;
}

std::int64_t lifetime_s(const std::string& role) {
    if (role == "root") return 2 * 365 * day_s;
    if (role == "targets" || role == "models" || is_under(role, models_prefix)) return 365 * day_s;
    if (role == "timestamp") return 3 * day_s;
    return 14 * day_s;  // snapshot, rulesets, deltas
}

}  // namespace skiff::trust
