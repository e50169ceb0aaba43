// The files of a store: immutable blobs by hash, and a folder of hard links per installed version.
//
//   blobs/sha256/<hex>                      a verified file; <hex>.part: a download under way
//   versions/<model>/<n>-<12 hex>/<name>    links to blobs, under the names that people know
//
// Whoever uses a version's folder holds a lease: a shared flock on its file .lock, in any process.
// What is collected is locked exclusively first, so a leased path stays whatever happens. All but
// lease() and make_folder() run under Store::update_lock().
#pragma once

#include <memory>
#include <string>

#include "device/store.h"

namespace skiff::device {

class StoreFiles {
 public:
    explicit StoreFiles(std::string folder) : folder_(std::move(folder)) {}

    std::string blob(const std::string& sha256) const;
    std::string version_folder(const std::string& model, const InstalledVersion& version) const;
    std::string path(const std::string& model, const InstalledVersion& version,
                     std::size_t file) const;

    // An empty folder of the version, to be leased. Fine if it is there.
    Status make_folder(const std::string& model, const InstalledVersion& version) const;
    // Makes the version's folder from blobs that are all there; durable. Fine if it is there.
    Status link(const std::string& model, const InstalledVersion& version) const;
    // Code::not_found when the version was collected meanwhile: look at the store again.
    Result<std::shared_ptr<const void>> lease(const std::string& model,
                                              const InstalledVersion& version) const;

    // Removes what no installed version needs and nobody leases: folders, blobs, and parts of
    // downloads other than those of `wanted` (hashes).
    Status collect(Store& store, const std::vector<std::string>& wanted) const;
    // Of all blobs and parts.
    Result<std::uint64_t> bytes_used() const;

 private:
    Status collect_folders(Store& store) const;
    Status collect_blobs(Store& store, const std::vector<std::string>& wanted) const;
    std::string folder_;
};

}  // namespace skiff::device
