#include "publish/registry.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "publish/home.h"
#include "trust/file_check.h"
#include "trust/layout.h"

namespace skiff::publish {

namespace {

constexpr std::string_view role_prefix = "models.";

Result<std::uint32_t> version_from(const Json& value, const std::string& what) {
    if (value.is_number_integer() && value >= 0 && value <= UINT32_MAX)
        return value.get<std::uint32_t>();
    return error(Code::invalid_argument, what + " holds a version that is no number of one");
}

std::optional<std::uint32_t> parse_number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = problem == std::errc() && end == text.data() + text.size();
    return whole && value > 0 ? std::optional(value) : std::nullopt;
}

Status read_versions(const trust::Targets& role, ModelState& model) {
    for (const auto& [path, meta] : role.targets) {
        if (meta.custom.empty()) continue;  // a file or a build of a version
        const Json custom = TRY(parse_json(meta.custom, path));
        if (!custom.contains("version")) continue;
        VersionState version;
        version.record = TRY(decide::read_version_record(custom, path));
        version.path = path;
        version.bytes = meta.length;
        if (const auto hash = meta.hashes.find("sha256"); hash != meta.hashes.end())
            version.sha256 = hash->second;
        const std::uint32_t number = version.record.version;
        model.versions[number] = std::move(version);
    }
    return {};
}

Status read_role_custom(const trust::Targets& role, const std::string& what, ModelState& model) {
    for (const auto& [number, version] : model.versions)
        model.next_version = std::max(model.next_version, number + 1);
    if (role.custom.empty()) return {};
    const Json custom = TRY(parse_json(role.custom, what));
    if (custom.contains("next_version"))
        model.next_version =
            std::max(model.next_version, TRY(version_from(custom["next_version"], what)));
    if (custom.contains("minimum_version"))
        model.minimum_version = TRY(version_from(custom["minimum_version"], what));
    if (!custom.contains("revoked")) return {};
    for (const auto& [key, why] : TRY(json_object(custom, "revoked", what))->items()) {
        const auto number = parse_number(key);
        if (!number || !why.is_string())
            return error(Code::invalid_argument, what + ": \"revoked\" is not {\"N\": \"why\"}");
        model.revoked[*number] = why.get<std::string>();
        model.next_version = std::max(model.next_version, *number + 1);
    }
    if (!custom.contains("revoked_sha256")) return {};
    for (const auto& [key, sha256] : TRY(json_object(custom, "revoked_sha256", what))->items())
        if (const auto number = parse_number(key);
            number && model.revoked.contains(*number) && sha256.is_string())
            model.revoked_sha256[*number] = sha256.get<std::string>();
    return {};
}

Status read_bookkeeping(const Json& ruleset, const std::string& what, ModelState& model) {
    if (!ruleset.contains("skiff")) return {};
    const Json& skiff = *TRY(json_object(ruleset, "skiff", what));
    if (skiff.contains("aliases"))
        for (const auto& [alias, version] : TRY(json_object(skiff, "aliases", what))->items())
            model.aliases[alias] = TRY(version_from(version, what));
    if (skiff.contains("rollouts")) model.rollouts = TRY(json_int(skiff, "rollouts", what));
    if (skiff.contains("before")) model.before = TRY(version_from(skiff["before"], what));
    return {};
}

Status read_ruleset(const trust::Repository& repository, trust::Tree& tree, ModelState& model) {
    const std::string path = decide::ruleset_target(model.name);
    auto bytes = read_target(repository, tree, path);
    if (!bytes.ok() && bytes.error().code == Code::not_found) return {};
    model.ruleset = std::make_shared<Json>(TRY(parse_json(TRY(std::move(bytes)), path)));
    if (const auto version = decide::default_version(*model.ruleset, model.name))
        model.default_version = TRY(version_from(*version, path));
    model.rollout = decide::running_rollout(*model.ruleset, model.name);
    return read_bookkeeping(*model.ruleset, path, model);
}

std::string known_versions(const ModelState& model) {
    std::string text;
    for (const auto& [number, version] : model.versions)
        text += (text.empty() ? "" : ", ") + std::to_string(number);
    return text.empty() ? "none" : text;
}

}  // namespace

Result<std::string> read_target(const trust::Repository& repository, trust::Tree& tree,
                                const std::string& path) {
    const std::string role = TRY(trust::roles_for_target(path)).back();
    const Error absent = error(Code::not_found, "the repository has no " + path);
    const auto targets = repository.targets_role(role);
    if (!targets.ok()) return absent;
    const auto meta = targets->targets.find(path);
    if (meta == targets->targets.end()) return absent;
    const auto hash = meta->second.hashes.find("sha256");
    if (hash == meta->second.hashes.end())
        return error(Code::invalid_argument, path + " has no sha256");
    auto bytes = tree.read(target_file(path, hash->second));
    // Signed for, so its absence is another thing than that of a path nobody knows.
    if (!bytes.ok() && bytes.error().code == Code::not_found)
        return error(Code::data_loss, bytes.error().message + " (the home lost a file)");
    TRY(bytes);
    TRY(trust::check_bytes(*bytes, meta->second.hashes, path));
    return bytes;
}

std::vector<std::string> model_names(const trust::Repository& repository) {
    std::vector<std::string> names;
    for (const std::string& role : repository.role_names())
        if (role.starts_with(role_prefix)) names.push_back(role.substr(role_prefix.size()));
    return names;
}

Result<ModelState> read_model(const trust::Repository& repository, trust::Tree& tree,
                              const std::string& name) {
    ModelState model;
    model.name = name;
    const std::string role_name = trust::model_role(name);
    const auto role = repository.targets_role(role_name);
    if (!role.ok()) {
        std::string others;
        for (const std::string& other : model_names(repository))
            others += (others.empty() ? "" : ", ") + other;
        return error(Code::not_found, "there is no model \"" + name + "\" (there is: " +
                                          (others.empty() ? "none yet" : others) + ")");
    }
    TRY(read_versions(*role, model));
    TRY(read_role_custom(*role, role_name + ".json", model));
    TRY(read_ruleset(repository, tree, model));
    return model;
}

Result<Reference> parse_reference(std::string_view text) {
    constexpr std::string_view hash_prefix = "sha256:";
    const Error misused =
        error(Code::invalid_argument, "\"" + std::string(text) +
                                          "\" is no reference: write NAME:VERSION, "
                                          "NAME@ALIAS or NAME@sha256:HEX");
    const std::size_t at = text.find_first_of(":@");
    if (at == text.npos) return misused;
    Reference reference{std::string(text.substr(0, at))};
    TRY(decide::check_model_name(reference.model));
    std::string_view rest = text.substr(at + 1);
    if (text[at] == ':') {
        reference.version = parse_number(rest);
        if (!reference.version) return misused;
    } else if (rest.starts_with(hash_prefix)) {
        rest.remove_prefix(hash_prefix.size());
        const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
        if (rest.size() < 8 || rest.size() > 64 || !std::ranges::all_of(rest, digit))
            return misused;
        reference.sha256 = rest;
    } else {
        if (!trust::is_plain_name(rest)) return misused;
        reference.alias = rest;
    }
    return reference;
}

Result<Reference> parse_version_reference(std::string_view text) {
    Reference reference = TRY(parse_reference(text));
    if (reference.version) return reference;
    return error(Code::invalid_argument, "\"" + std::string(text) +
                                             "\" does not say which version: "
                                             "write NAME:VERSION");
}

namespace {

Result<std::uint32_t> number_of(const ModelState& model, const Reference& reference) {
    if (reference.version) return *reference.version;
    if (reference.alias == "champion") {
        if (model.default_version) return *model.default_version;
        return error(Code::not_found, model.name + " has no default version");
    }
    const auto at = model.aliases.find(reference.alias);
    if (at != model.aliases.end()) return at->second;
    std::string known = "champion";
    for (const auto& [alias, version] : model.aliases) known += ", " + alias;
    return error(Code::not_found,
                 model.name + " has no alias " + reference.alias + " (there is: " + known + ")");
}

}  // namespace

Result<const VersionState*> resolve(const ModelState& model, const Reference& reference) {
    if (!reference.sha256.empty()) {
        for (const auto& [number, version] : model.versions)
            if (version.sha256.starts_with(reference.sha256)) return &version;
        return error(Code::not_found, "no version of " + model.name +
                                          " has these bytes (skiff models show " + model.name +
                                          " lists them)");
    }
    const std::uint32_t number = TRY(number_of(model, reference));
    const auto at = model.versions.find(number);
    if (at != model.versions.end()) return &at->second;
    const std::string name = model.name + ":" + std::to_string(number);
    if (const auto revoked = model.revoked.find(number); revoked != model.revoked.end())
        return error(Code::revoked, name + " was revoked: " + revoked->second);
    return error(Code::not_found,
                 "there is no " + name + " (there is: " + known_versions(model) + ")");
}

}  // namespace skiff::publish
