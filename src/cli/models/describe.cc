#include "cli/models/describe.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace skiff::cli {

namespace {

std::string name_of(const publish::ModelState& model, std::int64_t version) {
    return model.name + ":" + std::to_string(version);
}

template <typename T>
std::string text_of(const std::optional<T>& value) {
    return value ? std::to_string(*value) : "-";
}

std::vector<std::string> aliases_of(const publish::ModelState& model, std::uint32_t version) {
    std::vector<std::string> aliases;
    if (model.default_version == version) aliases.emplace_back("champion");
    for (const auto& [alias, number] : model.aliases)
        if (number == version) aliases.push_back(alias);
    return aliases;
}

std::string gates_of(const decide::VersionRecord& record) {
    std::vector<std::string> gates;
    if (!record.min_app.empty()) gates.push_back("app " + record.min_app);
    if (record.min_runtime > 0) gates.push_back("runtime " + std::to_string(record.min_runtime));
    return joined(gates, ", ");
}

std::string tags_of(const decide::VersionRecord& record) {
    std::vector<std::string> tags;
    for (const auto& [key, value] : record.tags) tags.push_back(visible(key + "=" + value));
    return joined(tags, ", ");
}

std::string size_text(std::uint64_t bytes, Format format) {
    return format == Format::csv ? std::to_string(bytes) : human_bytes(bytes);
}

}  // namespace

std::string visible(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool second_set =
            byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if (byte >= 0x20 && byte != 0x7F && !second_set) {
            out += text[i];
            continue;
        }
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\x%02x",
                      second_set ? static_cast<unsigned char>(text[++i]) : byte);
        out += escaped;
    }
    return out;
}

std::string percent_text(double percent) {
    return compact(percent) + " %";
}

std::string rollout_text(const publish::ModelState& model) {
    if (!model.rollout) return {};
    const decide::RolloutState& rollout = *model.rollout;
    return rollout.id + ": " + name_of(model, rollout.from) + " -> " + name_of(model, rollout.to) +
           " at " + percent_text(rollout.percent) +
           (rollout.condition.empty() ? "" : " where " + rollout.condition);
}

std::string standing_of(const publish::ModelState& model) {
    std::string text =
        "default " + (model.default_version ? name_of(model, *model.default_version)
                                            : std::string("none: devices keep what is bundled"));
    if (model.rollout) text += "; " + rollout_text(model);
    return text + "; the next version is " + std::to_string(model.next_version);
}

std::string revoked_line(const std::string& reference, const std::string& model,
                         const publish::Revoked& revoked) {
    std::string line = reference + " is revoked: no device runs it any more";
    if (revoked.default_before != revoked.default_now)
        line += "; the default is " +
                (revoked.default_now ? model + ":" + std::to_string(*revoked.default_now)
                                     : std::string("none: devices go back to what is bundled"));
    if (!revoked.rollout.empty()) line += "; " + revoked.rollout;
    for (const std::uint32_t other : revoked.same_bytes)
        line += "; " + model + ":" + std::to_string(other) + " has the same bytes and stays";
    if (!revoked.aliases.empty()) line += "; gone: " + joined(revoked.aliases, ", ");
    return line;
}

Table models_table(const std::vector<publish::ModelState>& models, Format format) {
    Table table({"model", "default", "newest", "versions", "size", "rollout", "aliases"});
    for (const publish::ModelState& model : models) {
        std::vector<std::string> aliases;
        for (const auto& [alias, number] : model.aliases)
            aliases.push_back(alias + "=" + std::to_string(number));
        const bool any = !model.versions.empty();
        table.add({model.name, text_of(model.default_version),
                   any ? std::to_string(model.versions.rbegin()->first) : "-",
                   std::to_string(model.versions.size()),
                   any ? size_text(model.versions.rbegin()->second.bytes, format) : "-",
                   model.rollout ? std::to_string(model.rollout->to) + " at " +
                                       percent_text(model.rollout->percent)
                                 : "",
                   joined(aliases, ", ")});
    }
    return table;
}

Table versions_table(const publish::ModelState& model, Format format) {
    Table table({"version", "aliases", "size", "format", "needs", "files", "tags", "sha256"});
    for (const auto& [number, version] : model.versions) {
        const decide::VersionRecord& record = version.record;
        table.add({std::to_string(number), joined(aliases_of(model, number), ", "),
                   size_text(version.bytes, format), record.is_tflite ? "tflite" : "opaque",
                   gates_of(record), std::to_string(1 + record.files.size() + record.builds.size()),
                   tags_of(record), version.sha256.substr(0, 12)});
    }
    for (const auto& [number, why] : model.revoked)
        table.add({std::to_string(number), "revoked: " + visible(why), "", "", "", "", "", ""});
    return table;
}

Table version_table(const publish::ModelState& model, const publish::VersionState& version,
                    Format format) {
    const decide::VersionRecord& record = version.record;
    Table table({"", ""});
    table.add({"version", name_of(model, record.version)});
    table.add({"aliases", joined(aliases_of(model, record.version), ", ")});
    table.add({"format", record.is_tflite ? "tflite" : "opaque"});
    table.add({"bytes", format == Format::csv
                            ? std::to_string(version.bytes)
                            : with_commas(static_cast<std::int64_t>(version.bytes))});
    table.add({"sha256", version.sha256});
    table.add({"needs", gates_of(record)});
    table.add({"signature", record.io_signature.substr(0, 16)});
    table.add({"tags", tags_of(record)});
    table.add({"target", version.path});
    for (const decide::VersionFile& file : record.files)
        table.add({"file " + file.name, file.path});
    for (const auto& [device_class, path] : record.builds)
        table.add({"build " + device_class, path});
    return table;
}

OrderedJson version_json(const publish::ModelState& model, const publish::VersionState& version) {
    const decide::VersionRecord& record = version.record;
    OrderedJson json = {{"model", model.name},
                        {"version", record.version},
                        {"aliases", aliases_of(model, record.version)},
                        {"format", record.is_tflite ? "tflite" : "opaque"},
                        {"bytes", version.bytes},
                        {"sha256", version.sha256},
                        {"target", version.path},
                        {"min_app", record.min_app},
                        {"min_runtime", record.min_runtime},
                        {"signature", record.io_signature},
                        {"tags", record.tags},
                        {"builds", record.builds}};
    json["files"] = OrderedJson::object();
    for (const decide::VersionFile& file : record.files) json["files"][file.name] = file.path;
    if (record.smoke)
        json["smoke"] = {{"seed", record.smoke->seed}, {"digest", record.smoke->digest}};
    return json;
}

OrderedJson model_json(const publish::ModelState& model) {
    const auto number = [](const auto& value) {
        return value ? OrderedJson(*value) : OrderedJson(nullptr);
    };
    OrderedJson json = {{"model", model.name},
                        {"default", number(model.default_version)},
                        {"before", number(model.before)},
                        {"next_version", model.next_version},
                        {"minimum_version", model.minimum_version},
                        {"aliases", model.aliases}};
    json["rollout"] = nullptr;
    if (model.rollout)
        json["rollout"] = {{"id", model.rollout->id},
                           {"from", model.rollout->from},
                           {"to", model.rollout->to},
                           {"percent", model.rollout->percent},
                           {"condition", model.rollout->condition}};
    json["versions"] = OrderedJson::array();
    for (const auto& [version, state] : model.versions)
        json["versions"].push_back(version_json(model, state));
    json["revoked"] = OrderedJson::object();
    for (const auto& [version, why] : model.revoked) json["revoked"][std::to_string(version)] = why;
    return json;
}

void say_changed(const Session& session, const publish::Changed& changed, const std::string& line,
                 OrderedJson json) {
    if (session.json()) {
        json["home_version"] = changed.version;
        json["warnings"] = changed.warnings;
        session.print_json(json);
    }
    session.say(line);
    for (const std::string& warning : changed.warnings) session.say("warning: " + warning);
}

}  // namespace skiff::cli
