// A target on its way in: into a temporary file, hashed as it comes, then put under its name.
#pragma once

#include <memory>
#include <string>

#include "base/sha256.h"

namespace skiff::server {

// One thread. Destroyed before finish(): as if it had never been.
class Upload {
 public:
    // `folder` is on the file system of where the file shall go.
    static Result<std::unique_ptr<Upload>> begin(const std::string& folder);
    ~Upload();
    Upload(const Upload&) = delete;
    Upload& operator=(const Upload&) = delete;

    Status write(Bytes bytes);
    // Durable at `file` when it returns; folders below `root` are made. Code::hash_mismatch.
    Status finish(const std::string& sha256, const std::string& root, const std::string& file);
    std::uint64_t size() const { return size_; }

 private:
    Upload(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
    int fd_;
    std::string path_;
    Sha256 hash_;
    std::uint64_t size_ = 0;
};

}  // namespace skiff::server
