// The model that an app brings along: it works without network, store and clock.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "device/client.h"
#include "device/store_files.h"
#include "model/model.h"

namespace skiff::device {

// Immutable; any thread.
class Bundled {
 public:
    // Reads and checks it. A file that is no .tflite is taken when its name does not say that it
    // is one: it has a path and no interpreter. Errors name what is missing or wrong.
    static Result<std::shared_ptr<const Bundled>> open(const LocalModel& local);

    const std::string& sha256() const { return sha256_; }
    const std::shared_ptr<const model::Model>& model() const { return model_; }  // null: no .tflite
    const std::string& io_signature() const { return io_signature_; }
    // Beside the main file: the labels of an AutoML manifest.
    const std::vector<std::pair<std::string, std::string>>& files() const { return files_; }
    // A path, and what keeps it there. Bytes in memory are written into the store for it.
    Result<std::pair<std::string, std::shared_ptr<const void>>> path(
        const StoreFiles& files, const std::string& model) const;

 private:
    Bundled() = default;
    Status read_manifest(const std::string& manifest);
    Status read_main(const LocalModel& local);

    std::string path_;  // empty: in memory
    Bytes bytes_;
    std::shared_ptr<const model::Model> model_;
    std::string sha256_, io_signature_;
    std::vector<std::pair<std::string, std::string>> files_;
};

}  // namespace skiff::device
