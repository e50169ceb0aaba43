#include "device/bundled.h"

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "runtime/io_signature.h"

namespace skiff::device {

namespace {

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

}  // namespace

Result<std::shared_ptr<const Bundled>> Bundled::open(const LocalModel& local) {
    std::shared_ptr<Bundled> bundled(new Bundled);
    bundled->path_ = local.path;
    if (local.is_manifest) TRY(bundled->read_manifest(local.path));
    Status read = bundled->read_main(local);
    if (!read.ok()) return with_context(read.take_error(), "the bundled model");
    return std::shared_ptr<const Bundled>(std::move(bundled));
}

// {"modelFile": "model.tflite", "labelsFile": "dict.txt", "modelType": "IMAGE_LABELING"}
Status Bundled::read_manifest(const std::string& manifest) {
    const Json json = TRY(parse_json(TRY(read_file(manifest, 1u << 20)), manifest));
    path_ = folder_of(manifest) + TRY(json_string(json, "modelFile", manifest));
    const auto labels = json_string(json, "labelsFile", manifest);
    if (!labels.ok()) return {};
    const std::string path = folder_of(manifest) + *labels;
    if (!file_exists(path))
        return error(Code::not_found, path + ": the manifest names it, and it is not there");
    files_.emplace_back(*labels, path);
    return {};
}

Status Bundled::read_main(const LocalModel& local) {
    auto loaded = path_.empty() ? model::Model::load_memory(local.bytes, "in memory")
                                : model::Model::load_file(path_);
    if (loaded.ok()) {
        model_ = std::move(loaded).value();
        bytes_ = model_->bytes();
        io_signature_ = runtime::io_signature(*model_);
        sha256_ = sha256_hex(bytes_);
        return {};
    }
    if (path_.empty() || path_.ends_with(".tflite") ||
        loaded.error().code != Code::invalid_argument)
        return loaded.take_error();
    sha256_ = TRY(sha256_file_hex(path_));
    return {};
}

Result<std::pair<std::string, std::shared_ptr<const void>>> Bundled::path(
    const StoreFiles& files, const std::string& model) const {
    if (!path_.empty()) return std::pair{path_, std::shared_ptr<const void>()};
    const InstalledVersion version{
        .number = 0, .sha256 = sha256_, .files = {{"bundled.tflite", sha256_}}};
    const std::string path = files.path(model, version, 0);
    const auto write_and_lease = [&]() -> Result<std::shared_ptr<const void>> {
        TRY(files.make_folder(model, version));
        if (!file_exists(path)) TRY(write_file_durably(path, bytes_));
        return files.lease(model, version);
    };
    for (int attempt = 0;; ++attempt) {
        auto lease = write_and_lease();
        if (lease.ok()) return std::pair{path, std::move(lease).value()};
        // Collected meanwhile: once more.
        if (lease.error().code != Code::not_found || attempt == 3) return lease.take_error();
    }
}

}  // namespace skiff::device
