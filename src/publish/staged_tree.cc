#include <algorithm>

#include "base/hex.h"
#include "base/sha256.h"
#include "publish/home.h"
#include "publish/left_files.h"
#include "trust/layout.h"

namespace skiff::publish {

namespace {

constexpr std::string_view targets_folder = "targets/";
constexpr std::size_t hash_digits = 64;

}  // namespace

Result<std::string> StagedTree::read(const std::string& path) {
    for (const MetadataFile& file : files_)
        if (file.path == path) return file.bytes;
    return home_.read(path);
}

bool StagedTree::exists(const std::string& path) {
    for (const MetadataFile& file : files_)
        if (file.path == path) return true;
    const auto there = home_.exists(path);
    return there.ok() ? *there : !path.starts_with(targets_folder);
}

Status StagedTree::write(const std::string& path, Bytes bytes) {
    if (path.starts_with(targets_folder)) return home_.put_target(path, bytes);
    std::erase_if(files_, [&](const MetadataFile& file) { return file.path == path; });
    files_.push_back({path, std::string(as_text(bytes))});
    return {};
}

std::string target_file(const std::string& path, const std::string& sha256) {
    const std::size_t name = path.rfind('/') + 1;
    return std::string(targets_folder) + path.substr(0, name) + sha256 + "." + path.substr(name);
}

Result<std::string> hash_of_target_file(const std::string& file) {
    const std::size_t name = file.rfind('/') + 1;
    const Error misnamed =
        error(Code::invalid_argument,
              "\"" + file.substr(0, 200) + "\" is not targets/FOLDER/<sha256>.<name>");
    if (!file.starts_with(targets_folder) || file.size() < name + hash_digits + 2) return misnamed;
    if (is_temporary_name(file)) return misnamed;
    const std::string hash = file.substr(name, hash_digits);
    const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (!std::all_of(hash.begin(), hash.end(), digit) || file[name + hash_digits] != '.')
        return misnamed;
    TRY(trust::roles_for_target(file.substr(targets_folder.size(), name - targets_folder.size()) +
                                file.substr(name + hash_digits + 1)));
    return hash;
}

Status check_target_file(const std::string& file, Bytes bytes) {
    if (sha256_hex(bytes) != TRY(hash_of_target_file(file)))
        return error(Code::hash_mismatch, file +
                                              ": the bytes are not those that the name says "
                                              "(send the file again)");
    return {};
}

}  // namespace skiff::publish
