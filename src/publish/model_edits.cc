#include "publish/model_edits.h"

#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "decide/ruleset.h"
#include "publish/audit.h"
#include "trust/layout.h"

namespace skiff::publish {

namespace {

constexpr const char* champion = "champion";

std::string name_of(const ModelState& model, std::uint32_t version) {
    return model.name + ":" + std::to_string(version);
}

Json ruleset_of(const ModelState& model) {
    if (model.ruleset) return *model.ruleset;
    return decide::empty_model_ruleset(model.name, std::nullopt);
}

Json with_default(Json ruleset, ModelState& model, std::optional<std::uint32_t> version) {
    model.default_version = version;
    if (version) return decide::set_default_version(std::move(ruleset), model.name, *version);
    ruleset["features"][decide::model_feature(model.name)]["defaultValue"] = nullptr;
    return ruleset;
}

// The default moves, and undo finds its way back.
Json move_default(Json ruleset, ModelState& model, std::uint32_t version) {
    if (model.default_version != version) model.before = model.default_version;
    return with_default(std::move(ruleset), model, version);
}

Status check_alias(const std::string& alias) {
    if (trust::is_plain_name(alias)) return {};
    return error(Code::invalid_argument, "\"" + alias +
                                             "\" is no alias: use 1 to 64 of A-Z, a-z, "
                                             "0-9, '-', '_' and '.'");
}

// What takes the place of a version that goes. Never a later one: nobody chose that for everyone.
std::optional<std::uint32_t> stand_in(const ModelState& model, std::uint32_t gone) {
    if (model.before && model.before != gone && model.versions.contains(*model.before))
        return model.before;
    std::optional<std::uint32_t> below;
    for (const auto& [number, version] : model.versions)
        if (number < gone) below = number;
    return below;
}

std::string percent_text(double percent) {
    std::string text = std::to_string(percent);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text + " %";
}

}  // namespace

Status write_ruleset(trust::Repository& repository, StagedTree& tree, ModelState& model,
                     Json ruleset) {
    Json skiff = Json::object();
    if (const auto old = ruleset.find("skiff"); old != ruleset.end()) skiff = *old;
    skiff["aliases"] = model.aliases;
    skiff["rollouts"] = model.rollouts;
    skiff.erase("before");
    if (model.before) skiff["before"] = *model.before;
    ruleset["skiff"] = std::move(skiff);
    if (model.ruleset && ruleset == *model.ruleset) return {};
    const std::string path = decide::ruleset_target(model.name), text = json_text(ruleset);
    TRY(decide::Ruleset::parse(text, path));
    const trust::TargetRecord record = TRY(trust::write_target(tree, path, as_bytes(text)));
    TRY(repository.set_target(path, record, nullptr));
    model.ruleset = std::make_shared<Json>(std::move(ruleset));
    model.rollout = decide::running_rollout(*model.ruleset, model.name);
    return {};
}

Status set_alias(trust::Repository& repository, StagedTree& tree, ModelState& model,
                 const std::string& alias, std::uint32_t version) {
    TRY(check_alias(alias));
    TRY(resolve(model, {model.name, version}));
    Json ruleset = ruleset_of(model);
    if (alias != champion) {
        model.aliases[alias] = version;
    } else if (model.rollout && model.default_version != version) {
        return error(Code::failed_precondition,
                     model.rollout->id + " of " + model.name +
                         " runs: end it before the default moves (skiff rollout start " +
                         name_of(model, static_cast<std::uint32_t>(model.rollout->to)) +
                         " --percent 100, or skiff rollout undo " + model.name + ")");
    } else {
        ruleset = move_default(std::move(ruleset), model, version);
    }
    return write_ruleset(repository, tree, model, std::move(ruleset));
}

Status remove_alias(trust::Repository& repository, StagedTree& tree, ModelState& model,
                    const std::string& alias) {
    if (alias == champion)
        return error(Code::invalid_argument,
                     "champion is the default version: it can move, not go away");
    if (model.aliases.erase(alias) == 0)
        return error(Code::not_found, model.name + " has no alias " + alias);
    return write_ruleset(repository, tree, model, ruleset_of(model));
}

namespace {

// The signed part: targets out, the number and the reason in.
Status take_out(trust::Repository& repository, ModelState& model, std::uint32_t number,
                const std::string& why) {
    const VersionState* version = TRY(resolve(model, {model.name, number}));
    for (const decide::VersionFile& file : version->record.files)
        TRY(repository.remove_target(file.path));
    for (const auto& [device_class, path] : version->record.builds)
        TRY(repository.remove_target(path));
    TRY(repository.remove_target(version->path));
    const std::string sha256 = version->sha256;
    const std::string role = trust::model_role(model.name);
    const trust::Targets now = TRY(repository.targets_role(role));
    Json custom = Json::object();
    if (!now.custom.empty()) custom = TRY(parse_json(now.custom, role + ".json"));
    custom["revoked"][std::to_string(number)] = why;
    custom["revoked_sha256"][std::to_string(number)] = sha256;
    custom["next_version"] = model.next_version;
    TRY(repository.set_custom(role, custom));
    model.versions.erase(number);
    model.revoked[number] = why;
    model.revoked_sha256[number] = sha256;
    return {};
}

// Who had A keeps getting something that is there; who has B keeps B, whose buckets do not change.
Result<Json> replace_control(Json ruleset, ModelState& model, Revoked& revoked) {
    decide::RolloutState rollout = *model.rollout;
    const auto now = model.default_version;
    if (!now || *now == rollout.to) {
        revoked.rollout = rollout.id + " is done: everyone gets its B";
        model.default_version = static_cast<std::uint32_t>(rollout.to);
        return decide::finish_rollout(std::move(ruleset), model.name);
    }
    revoked.rollout = rollout.id + " goes on from " + name_of(model, *now);
    rollout.from = *now;
    return decide::start_rollout(TRY(decide::undo_rollout(std::move(ruleset), model.name)),
                                 model.name, rollout);
}

}  // namespace

Result<Revoked> revoke(trust::Repository& repository, StagedTree& tree, ModelState& model,
                       std::uint32_t number, const std::string& why) {
    TRY(check_plain_text(why, "--why"));
    TRY(take_out(repository, model, number, why));
    Revoked revoked;
    for (const auto& [other, version] : model.versions)
        if (version.sha256 == model.revoked_sha256[number]) revoked.same_bytes.push_back(other);
    revoked.default_before = model.default_version;
    Json ruleset = ruleset_of(model);
    if (model.default_version == number)
        ruleset = with_default(std::move(ruleset), model, stand_in(model, number));
    if (model.before == number || model.before == model.default_version) model.before.reset();
    if (model.rollout && model.rollout->to == number) {
        revoked.rollout = model.rollout->id + " is undone";
        ruleset = TRY(decide::undo_rollout(std::move(ruleset), model.name));
    } else if (model.rollout && model.rollout->from == number) {
        ruleset = TRY(replace_control(std::move(ruleset), model, revoked));
    }
    for (const auto& [alias, version] : model.aliases)
        if (version == number) revoked.aliases.push_back(alias);
    for (const std::string& alias : revoked.aliases) model.aliases.erase(alias);
    revoked.default_now = model.default_version;
    TRY(write_ruleset(repository, tree, model, std::move(ruleset)));
    return revoked;
}

namespace {

Status check_step(const ModelState& model, std::uint32_t to, double percent,
                  const std::string& condition) {
    if (!model.rollout) {
        if (!model.default_version)
            return error(Code::failed_precondition,
                         model.name +
                             " has no default version to roll out from (skiff models alias " +
                             model.name + " champion " + std::to_string(to) + ")");
        if (*model.default_version == to)
            return error(Code::failed_precondition,
                         name_of(model, to) + " is the default already: everyone has it");
        return {};
    }
    const std::string id = model.rollout->id;
    if (model.rollout->to != to)
        return error(Code::failed_precondition,
                     id + " to " + name_of(model, static_cast<std::uint32_t>(model.rollout->to)) +
                         " runs: finish it with --percent 100, or skiff rollout undo " +
                         model.name);
    if (!condition.empty())
        return error(Code::failed_precondition,
                     id + " runs and keeps its condition (skiff rollout undo " + model.name +
                         ", then start again with another)");
    if (percent < model.rollout->percent - 1e-9)
        return error(Code::failed_precondition,
                     id + " is at " + percent_text(model.rollout->percent) +
                         " and only grows (to take the version back: skiff rollout undo " +
                         model.name + ")");
    return {};
}

}  // namespace

Result<RolloutStep> advance_rollout(trust::Repository& repository, StagedTree& tree,
                                    ModelState& model, std::uint32_t to, double percent,
                                    const std::string& condition) {
    TRY(resolve(model, {model.name, to}));
    TRY(check_step(model, to, percent, condition));
    RolloutStep step{"", *model.default_version, to, percent, percent >= 100};
    Json ruleset = ruleset_of(model);
    if (model.rollout) step.id = model.rollout->id;
    if (step.done) {
        if (model.rollout) ruleset = TRY(decide::undo_rollout(std::move(ruleset), model.name));
        ruleset = move_default(std::move(ruleset), model, to);
    } else if (model.rollout) {
        ruleset = TRY(decide::set_percent(std::move(ruleset), model.name, percent));
    } else {
        step.id = "rollout-" + std::to_string(++model.rollouts);
        ruleset = TRY(decide::start_rollout(std::move(ruleset), model.name,
                                            {step.id, step.from, to, percent, condition}));
    }
    TRY(write_ruleset(repository, tree, model, std::move(ruleset)));
    return step;
}

Result<Undone> undo_rollout(trust::Repository& repository, StagedTree& tree, ModelState& model) {
    Json ruleset = ruleset_of(model);
    Undone undone;
    if (model.rollout) {
        undone = {model.rollout->id, static_cast<std::uint32_t>(model.rollout->to),
                  static_cast<std::uint32_t>(model.rollout->from)};
        ruleset = TRY(decide::undo_rollout(std::move(ruleset), model.name));
    } else if (!model.before || !model.default_version) {
        return error(Code::failed_precondition,
                     "no rollout of " + model.name +
                         " runs, and its default was not moved (nothing to undo)");
    } else {
        TRY(resolve(model, {model.name, *model.before}));
        undone = {"", *model.default_version, *model.before};
        ruleset = with_default(std::move(ruleset), model, model.before);
        model.before.reset();
    }
    TRY(write_ruleset(repository, tree, model, std::move(ruleset)));
    return undone;
}

}  // namespace skiff::publish
