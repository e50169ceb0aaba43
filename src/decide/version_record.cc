#include "decide/version_record.h"

#include <nlohmann/json.hpp>

namespace skiff::decide {

namespace {

bool is_name_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

std::string base_path(std::string_view model, std::uint32_t version) {
    return "models/" + std::string(model) + "/" + std::to_string(version);
}

Result<std::map<std::string, std::string>> read_text_map(const Json& custom, const char* key,
                                                         const std::string& what) {
    std::map<std::string, std::string> map;
    if (!custom.contains(key)) return map;
    for (const auto& [name, value] : TRY(json_object(custom, key, what))->items()) {
        if (!value.is_string())
            return error(Code::invalid_argument, what + ": \"" + key + "\" holds more than texts");
        map[name] = value.get<std::string>();
    }
    return map;
}

Status read_gates(const Json& custom, const std::string& what, VersionRecord& record) {
    if (!custom.contains("gates")) return {};
    const Json& gates = *TRY(json_object(custom, "gates", what));
    if (gates.contains("min_app")) record.min_app = TRY(json_string(gates, "min_app", what));
    if (!gates.contains("min_runtime")) return {};
    const std::int64_t level = TRY(json_int(gates, "min_runtime", what));
    if (level < 0 || level > 1'000'000)
        return error(Code::invalid_argument, what + ": \"min_runtime\" is out of range");
    record.min_runtime = static_cast<int>(level);
    return {};
}

Status read_files(const Json& custom, const std::string& what, VersionRecord& record) {
    if (!custom.contains("files")) return {};
    for (const Json& file : *TRY(json_array(custom, "files", what))) {
        VersionFile& entry = record.files.emplace_back();
        entry.name = TRY(json_string(file, "name", what));
        entry.path = TRY(json_string(file, "path", what));
    }
    return {};
}

Status read_smoke(const Json& custom, const std::string& what, VersionRecord& record) {
    if (!custom.contains("smoke")) return {};
    const Json& smoke = *TRY(json_object(custom, "smoke", what));
    const std::int64_t seed = TRY(json_int(smoke, "seed", what));
    std::string digest = TRY(json_string(smoke, "digest", what));
    record.smoke = SmokeTest{static_cast<std::uint64_t>(seed), std::move(digest)};
    return {};
}

}  // namespace

Json write_version_record(const VersionRecord& record) {
    Json files = Json::array();
    for (const VersionFile& file : record.files)
        files.push_back({{"name", file.name}, {"path", file.path}});
    Json gates = Json::object();
    if (!record.min_app.empty()) gates["min_app"] = record.min_app;
    if (record.min_runtime) gates["min_runtime"] = record.min_runtime;
    Json json = {{"model", record.model},
                 {"version", record.version},
                 {"format", record.is_tflite ? "tflite" : "opaque"}};
    if (!files.empty()) json["files"] = std::move(files);
    if (!record.builds.empty()) json["builds"] = record.builds;
    if (!gates.empty()) json["gates"] = std::move(gates);
    if (!record.io_signature.empty()) json["signature"] = record.io_signature;
    if (record.smoke)
        json["smoke"] = {{"seed", record.smoke->seed}, {"digest", record.smoke->digest}};
    if (!record.tags.empty()) json["tags"] = record.tags;
    return json;
}

Result<VersionRecord> read_version_record(const Json& custom, std::string_view what_view) {
    const std::string what(what_view);
    VersionRecord record;
    record.model = TRY(json_string(custom, "model", what));
    TRY(check_model_name(record.model));
    const std::int64_t version = TRY(json_int(custom, "version", what));
    if (version < 1 || version > UINT32_MAX)
        return error(Code::invalid_argument, what + ": \"version\" is out of range");
    record.version = static_cast<std::uint32_t>(version);
    record.is_tflite = TRY(json_string(custom, "format", what)) == "tflite";
    TRY(read_files(custom, what, record));
    record.builds = TRY(read_text_map(custom, "builds", what));
    TRY(read_gates(custom, what, record));
    if (custom.contains("signature"))
        record.io_signature = TRY(json_string(custom, "signature", what));
    TRY(read_smoke(custom, what, record));
    record.tags = TRY(read_text_map(custom, "tags", what));
    return record;
}

Status check_model_name(std::string_view name) {
    bool good = !name.empty() && name.size() <= 63 && name[0] != '.' && name[0] != '-';
    for (const char c : name) good = good && is_name_letter(c);
    if (good) return {};
    return error(Code::invalid_argument,
                 "\"" + std::string(name) +
                     "\" is no model name: use 1 to 63 of a-z, 0-9, '-', '_' and '.', and begin "
                     "with a letter or digit");
}

std::string main_target(std::string_view model, std::uint32_t version, std::string_view extension) {
    return base_path(model, version) + std::string(extension);
}
std::string file_target(std::string_view model, std::uint32_t version, std::string_view name) {
    return base_path(model, version) + "." + std::string(name);
}
std::string build_target(std::string_view model, std::uint32_t version,
                         std::string_view device_class, std::string_view extension) {
    return base_path(model, version) + "-" + std::string(device_class) + std::string(extension);
}
std::string ruleset_target(std::string_view model) {
    return "rulesets/" + std::string(model) + ".json";
}

}  // namespace skiff::decide
