#include "device/choice.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <vector>

#include "decide/condition.h"
#include "decide/rollout.h"
#include "runtime/runtime_level.h"
#include "trust/date_time.h"

namespace skiff::device {

namespace {

using Wanted = Choice::Wanted;
using Source = ModelStatus::Source;

std::uint32_t version_in(const Json& value) {
    if (!value.is_object()) return 0;
    const auto version = value.find("version");
    if (version == value.end() || !version->is_number_integer()) return 0;
    const std::int64_t number = version->get<std::int64_t>();
    return number < 1 || number > UINT32_MAX ? 0 : static_cast<std::uint32_t>(number);
}

// "3.10.0-beta.2+7": its numbers, and what follows a dash; what follows a plus says nothing.
struct AppVersion {
    std::vector<std::uint64_t> parts = {};
    std::string pre_release = {};
};

std::optional<AppVersion> read_app_version(std::string_view text) {
    AppVersion version;
    text = text.substr(0, text.find('+'));
    if (text.starts_with('v')) text.remove_prefix(1);
    if (const std::size_t dash = text.find('-'); dash != text.npos) {
        version.pre_release = text.substr(dash + 1);
        if (version.pre_release.empty()) return std::nullopt;
        text = text.substr(0, dash);
    }
    for (;;) {
        const std::string_view part = text.substr(0, text.find('.'));
        std::uint64_t number = 0;
        const auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), number);
        if (failure != std::errc() || end != part.data() + part.size()) return std::nullopt;
        version.parts.push_back(number);
        if (part.size() == text.size()) break;
        text.remove_prefix(part.size() + 1);
    }
    while (!version.parts.empty() && version.parts.back() == 0) version.parts.pop_back();
    return version;
}

// Parts that are missing are 0; a pre-release comes before its release. (The rules' own $vgt and
// so on compare as GrowthBook does; this gate is ours.)
bool is_older(const AppVersion& a, const AppVersion& b) {
    if (a.parts != b.parts) return a.parts < b.parts;
    if (a.pre_release.empty() || b.pre_release.empty())
        return !a.pre_release.empty() && b.pre_release.empty();
    return decide::padded_version(a.pre_release) < decide::padded_version(b.pre_release);
}

std::optional<std::string> gate(const PublishedVersion& version, const ChoiceContext& context) {
    const decide::VersionRecord& record = version.record;
    if (record.min_runtime > runtime::runtime_level)
        return "needs runtime " + std::to_string(record.min_runtime) + ", this library has " +
               std::to_string(runtime::runtime_level) + " (update libskiff)";
    if (record.min_app.empty()) return std::nullopt;
    const std::string app = text_attribute(*context.attributes, "app_version");
    if (app.empty())
        return "needs app " + record.min_app + ", and this app does not say its version";
    const auto mine = read_app_version(app), least = read_app_version(record.min_app);
    if (!mine)
        return "needs app " + record.min_app + ", and this app's version \"" + app +
               "\" is no version";
    if (!least) return "needs app \"" + record.min_app + "\", which is no version";
    if (is_older(*mine, *least)) return "needs app " + record.min_app + ", this one is " + app;
    return std::nullopt;
}

const PublishedFile& main_of(const PublishedVersion& version, const ChoiceContext& context) {
    return version.main_for(text_attribute(*context.attributes, "device_class"));
}

// The installed files are the ones that the metadata of now names.
bool is_installed(const ModelState& state, const ChoiceContext& context, std::uint32_t number) {
    const auto installed = state.installed.find(number);
    const auto published = state.catalog.versions.find(number);
    return installed != state.installed.end() && published != state.catalog.versions.end() &&
           installed->second.sha256 == main_of(published->second, context).sha256();
}

// What may run, is here, and did not fail to load in this process.
bool can_run(const ModelState& state, const ChoiceContext& context, std::uint32_t number) {
    if (number == 0 || !is_installed(state, context, number) || obstacle(state, context, number))
        return false;
    const InstalledVersion& version = state.installed.at(number);
    if (context.computes && !version.is_tflite) return false;
    return !(context.unloadable && context.unloadable->contains(version.sha256));
}

void decide_wanted(const ModelState& state, const ChoiceContext& context, Choice& choice) {
    if (!state.ruleset) return;
    const decide::Decision decision =
        state.ruleset->evaluate(decide::model_feature(context.model), *context.attributes);
    choice.wanted_number = decision.value ? version_in(*decision.value) : 0;
    choice.wanted_reason = decision.source == decide::Source::default_value
                               ? "it is the default of the rules"
                               : decision.reason;
    if (choice.wanted_number == 0) return;
    if (decision.source == decide::Source::experiment) {
        choice.experiment = decision.experiment;
        choice.variant = decision.variation_key;
    }
    if (obstacle(state, context, choice.wanted_number))
        choice.wanted = Wanted::unusable;
    else
        choice.wanted = is_installed(state, context, choice.wanted_number) ? Wanted::installed
                                                                           : Wanted::missing;
}

void pick(const ModelState& state, const ChoiceContext& context, Choice& choice) {
    if (choice.wanted == Wanted::installed && can_run(state, context, choice.wanted_number)) {
        choice.runs = choice.wanted_number;
        choice.source = Source::active;
    } else if (can_run(state, context, state.active)) {
        choice.runs = state.active;
        choice.source = Source::active;
    } else if (can_run(state, context, state.previous)) {
        choice.runs = state.previous;
        choice.source = Source::previous;
    } else if (context.has_bundled) {
        choice.runs = 0;
        choice.source = Source::bundled;
    }
}

// What keeps the wanted version from running, from its name on.
std::string hindrance(const ModelState& state, const ChoiceContext& context, const Choice& choice) {
    const std::string name = version_name(context.model, choice.wanted_number);
    if (choice.wanted == Wanted::unusable)
        return name + " " + *obstacle(state, context, choice.wanted_number);
    if (choice.wanted == Wanted::installed && context.computes &&
        !state.installed.at(choice.wanted_number).is_tflite)
        return name + " is no .tflite file";
    if (choice.wanted == Wanted::installed)
        return name + " does not load: " +
               context.unloadable->at(state.installed.at(choice.wanted_number).sha256);
    if (state.update && state.update->number == choice.wanted_number && !state.update->why.empty())
        return name + (state.update->why.starts_with("waits") ? " " : ": ") + state.update->why;
    return name + " is not fetched yet";
}

// Why the rules want no version at all.
std::string nothing_wanted(const ModelState& state, const std::string& model) {
    if (state.ruleset) return "the rules name no version of " + model + " for this device";
    if (!state.catalog.known && state.check_failure.empty())
        return "no check has been made for " + model + " yet";
    if (!state.catalog.known) return "the last check failed: " + state.check_failure;
    if (state.catalog.versions.empty()) return "nothing is published under the name " + model;
    return "no rules are published for " + model;
}

std::string build_note(const ModelState& state, const ChoiceContext& context,
                       const Choice& choice) {
    const std::string device_class = text_attribute(*context.attributes, "device_class");
    const auto& builds = state.catalog.versions.at(choice.wanted_number).builds;
    if (device_class.empty() || builds.empty() || builds.contains(device_class)) return {};
    return " (its main file: it has no build for device class " + device_class + ")";
}

std::string explain(const ModelState& state, const ChoiceContext& context, const Choice& choice) {
    const std::string running =
        choice.runs ? version_name(context.model, *choice.runs) + " runs" : "nothing runs";
    if (!context.store_failure.empty()) return context.store_failure + ", " + running;
    if (choice.wanted != Wanted::nothing) {
        if (choice.runs == choice.wanted_number)
            return running + ": " + choice.wanted_reason + build_note(state, context, choice);
        return hindrance(state, context, choice) + ", " + running;
    }
    return running + ": " + nothing_wanted(state, context.model);
}

std::string staleness(const ModelState& state, std::int64_t now_s) {
    if (state.rules_expire_s == 0 || now_s <= state.rules_expire_s) return {};
    const std::string since =
        state.rules_at_s ? "rules from " + trust::date_time_text(state.rules_at_s).substr(0, 10)
                         : "rules without a date";
    return " (" + since + ", stale)";
}

}  // namespace

std::string version_name(const std::string& model, std::uint32_t number) {
    return to_string(Version{model, number, {}});
}

std::string text_attribute(const Json& attributes, const char* name) {
    const auto at = attributes.find(name);
    return at != attributes.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::optional<std::string> obstacle(const ModelState& state, const ChoiceContext& context,
                                    std::uint32_t number) {
    if (const auto revoked = state.catalog.revoked.find(number);
        revoked != state.catalog.revoked.end())
        return "was revoked" + (revoked->second.empty() ? "" : ": " + revoked->second);
    if (number < state.catalog.minimum_version)
        return "is below the signed floor " + std::to_string(state.catalog.minimum_version);
    const auto at = state.catalog.versions.find(number);
    if (at == state.catalog.versions.end()) return "is not among the signed versions";
    if (auto closed = gate(at->second, context)) return closed;
    const auto bad = state.bad.find(main_of(at->second, context).sha256());
    if (bad != state.bad.end()) return bad->second;
    // Who says what inputs and outputs it uses cannot run what has none.
    if (!context.io_signature.empty() && !at->second.record.is_tflite)
        return "has other inputs or outputs than this app uses";
    // The record's interface speaks for the main file; that of a build is known once it was tried.
    const auto installed = state.installed.find(number);
    const std::string& signature = installed != state.installed.end()
                                       ? installed->second.io_signature
                                       : at->second.record.io_signature;
    if (!context.io_signature.empty() && !signature.empty() && signature != context.io_signature)
        return "has other inputs or outputs than this app uses";
    return std::nullopt;
}

Choice choose(const ModelState& state, const ChoiceContext& context) {
    Choice choice;
    decide_wanted(state, context, choice);
    pick(state, context, choice);
    choice.counts = !choice.experiment.empty() && choice.runs == choice.wanted_number &&
                    choice.wanted == Wanted::installed &&
                    state.eligible.contains(choice.experiment);
    choice.why = explain(state, context, choice) + staleness(state, context.now_s);
    return choice;
}

}  // namespace skiff::device
