// Where a server keeps everything (docs/api.md, "The data folder"):
//
//   server.db                                 tokens, audit, reports (ledger.h)
//   server.lock                               held by the server that runs
//   projects/<project>/tree/{metadata,targets}  the static tree
//   projects/<project>/online.json            optional: the online key, mode 0600
//   uploads/                                  targets that are still coming; emptied at start
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/files.h"

namespace skiff::server {

class DataFolder {
 public:
    // Makes the folder when it is absent or empty. Code::failed_precondition, with what it is, for
    // a folder that holds something else.
    static Result<DataFolder> open(const std::string& path);

    // The same, of a folder that a server already uses. Code::not_found when it is none.
    static Result<DataFolder> open_existing(const std::string& path);

    // One server at a time: Code::unavailable when another runs.
    Result<std::unique_ptr<FileLock>> lock() const;
    Status empty_uploads() const;
    Result<std::vector<std::string>> projects() const;  // names, sorted

    const std::string& path() const { return path_; }
    std::string database() const { return path_ + "/server.db"; }
    std::string uploads() const { return path_ + "/uploads"; }
    std::string project(const std::string& name) const { return path_ + "/projects/" + name; }

 private:
    explicit DataFolder(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

}  // namespace skiff::server
