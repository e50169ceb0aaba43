#include "cli/model_argument.h"

#include "base/files.h"
#include "base/hex.h"
#include "cli/remote/contexts.h"
#include "trust/file_check.h"

namespace skiff::cli {

std::string file_name_of(const publish::VersionState& version) {
    const std::size_t slash = version.path.rfind('/'), dot = version.path.find('.', slash);
    return version.record.model + "-" + std::to_string(version.record.version) +
           (dot == std::string::npos ? "" : version.path.substr(dot));
}

Result<std::string> cached_version(const Found& found) {
    const publish::VersionState& version = *found.version;
    const std::string folder = TRY(cache_folder()) + "/blobs/" + version.sha256;
    const std::string file = folder + "/" + file_name_of(version);
    const trust::Hashes hashes = {{"sha256", version.sha256}};
    if (trust::check_file(file, version.bytes, hashes).ok()) return file;
    const std::string bytes =
        TRY(publish::read_target(*found.repository, *found.tree, version.path));
    TRY(make_folders(folder));
    TRY(write_file_durably(file, as_bytes(bytes)));
    return file;
}

Result<std::string> model_path(const std::string& argument) {
    if (file_exists(argument)) return argument;
    const auto reference = publish::parse_reference(argument);
    if (!reference.ok()) return argument;
    return cached_version(TRY(find_version(*reference, {})));
}

}  // namespace skiff::cli
