#include "device/catalog.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "trust/layout.h"

namespace skiff::device {

namespace {

std::string base_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// Targets are always kept under the name of their hash in our repositories.
std::string url_path_of(const std::string& path, const std::string& sha256) {
    const std::size_t name = path.rfind('/') + 1;
    return trust::quote_path(path.substr(0, name) + sha256 + "." + path.substr(name));
}

Result<PublishedFile> find_file(const trust::Targets& role, const std::string& path,
                                std::string name) {
    const auto at = role.targets.find(path);
    if (at == role.targets.end())
        return error(Code::not_found, "its file " + path + " is not signed");
    const auto sha256 = at->second.hashes.find("sha256");
    if (sha256 == at->second.hashes.end() || sha256->second.size() != 64)
        return error(Code::invalid_argument, path + " has no sha256");
    if (!trust::is_plain_name(name))
        return error(Code::invalid_argument, "\"" + name + "\" is no name for a file");
    return PublishedFile{
        std::move(name),
        {path, at->second.length, at->second.hashes, {}, {}, url_path_of(path, sha256->second)}};
}

Result<PublishedVersion> read_version(const trust::Targets& role, const std::string& path,
                                      const std::string& model) {
    const Json custom = TRY(parse_json(role.targets.at(path).custom, path));
    auto record = TRY(decide::read_version_record(custom, path));
    auto main = TRY(find_file(role, path, base_name(path)));
    PublishedVersion version{std::move(record), std::move(main)};
    if (version.record.model != model)
        return error(Code::invalid_argument, "its record is one of " + version.record.model);
    for (const auto& [device_class, build] : version.record.builds)
        version.builds.emplace(device_class, TRY(find_file(role, build, base_name(build))));
    for (const decide::VersionFile& file : version.record.files)
        version.files.push_back(TRY(find_file(role, file.path, file.name)));
    return version;
}

bool is_version(const std::string& custom) {
    if (custom.empty()) return false;
    const auto json = parse_json(custom, "custom");
    return json.ok() && json->is_object() && json->contains("model") && json->contains("version");
}

void read_role_custom(const std::string& text, Catalog& catalog) {
    const auto json = parse_json(text, "custom");
    if (!json.ok() || !json->is_object()) return;
    if (const auto floor = json->find("minimum_version");
        floor != json->end() && floor->is_number_unsigned())
        catalog.minimum_version = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(floor->get<std::uint64_t>(), UINT32_MAX));
    const auto revoked = json->find("revoked");
    if (revoked == json->end() || !revoked->is_object()) return;
    for (const auto& [number, reason] : revoked->items())
        if (const unsigned long n = std::strtoul(number.c_str(), nullptr, 10); n > 0)
            catalog.revoked[static_cast<std::uint32_t>(n)] =
                reason.is_string() ? reason.get<std::string>() : std::string();
}

Json file_json(const PublishedFile& file) {
    return {{"name", file.name},
            {"path", file.target.path},
            {"length", file.target.length},
            {"hashes", file.target.hashes},
            {"url_path", file.target.url_path}};
}

PublishedFile file_of(const Json& json) {
    PublishedFile file;
    file.name = json.at("name");
    file.target.path = json.at("path");
    file.target.length = json.at("length");
    file.target.hashes = json.at("hashes").get<trust::Hashes>();
    file.target.url_path = json.at("url_path");
    (void)file.sha256();
    return file;
}

}  // namespace

const PublishedFile& PublishedVersion::main_for(const std::string& device_class) const {
    const auto build = builds.find(device_class);
    return build == builds.end() ? main : build->second;
}

Catalog read_catalog(const trust::Targets& role, const std::string& model) {
    Catalog catalog;
    catalog.known = true;
    if (!role.custom.empty()) read_role_custom(role.custom, catalog);
    for (const auto& [path, target] : role.targets) {
        if (!is_version(target.custom)) continue;
        auto version = read_version(role, path, model);
        if (version.ok()) {
            const std::uint32_t number = version->record.version;
            catalog.versions.emplace(number, std::move(version).value());
        } else {
            log(LogLevel::warning, path + " is left out: " + version.error().message);
        }
    }
    return catalog;
}

std::string write_catalog_text(const Catalog& catalog) {
    Json versions = Json::array(), revoked = Json::object();
    for (const auto& [number, version] : catalog.versions) {
        Json builds = Json::object(), files = Json::array();
        for (const auto& [device_class, file] : version.builds)
            builds[device_class] = file_json(file);
        for (const PublishedFile& file : version.files) files.push_back(file_json(file));
        versions.push_back({{"record", decide::write_version_record(version.record)},
                            {"main", file_json(version.main)},
                            {"builds", std::move(builds)},
                            {"files", std::move(files)}});
    }
    for (const auto& [number, reason] : catalog.revoked) revoked[std::to_string(number)] = reason;
    return json_text({{"minimum_version", catalog.minimum_version},
                      {"revoked", std::move(revoked)},
                      {"versions", std::move(versions)}});
}

Result<Catalog> read_catalog_text(const std::string& text) {
    Catalog catalog;
    if (text.empty()) return catalog;
    catalog.known = true;
    const Json json = TRY(parse_json(text, "the store's catalog"));
    try {
        read_role_custom(text, catalog);
        for (const Json& one : json.at("versions")) {
            auto record = TRY(decide::read_version_record(one.at("record"), "the store's catalog"));
            PublishedVersion version{std::move(record), file_of(one.at("main"))};
            for (const auto& [device_class, file] : one.at("builds").items())
                version.builds.emplace(device_class, file_of(file));
            for (const Json& file : one.at("files")) version.files.push_back(file_of(file));
            catalog.versions.emplace(version.record.version, std::move(version));
        }
    } catch (const std::exception& e) {
        return error(Code::data_loss, std::string("the store's catalog is damaged: ") + e.what());
    }
    return catalog;
}

}  // namespace skiff::device
