// The static tree that a publisher writes and any web server serves: `metadata/...` and
// `targets/...`.
#pragma once

#include <string>

#include "base/result.h"

namespace skiff::trust {

class Tree {
 public:
    virtual ~Tree() = default;
    virtual Result<std::string> read(const std::string& path) = 0;  // Code::not_found
    virtual bool exists(const std::string& path) = 0;
    // Durable and whole before it returns; makes the folders it needs.
    virtual Status write(const std::string& path, Bytes bytes) = 0;
};

class FolderTree final : public Tree {
 public:
    explicit FolderTree(std::string root) : root_(std::move(root)) {}
    Result<std::string> read(const std::string& path) override;
    bool exists(const std::string& path) override;
    Status write(const std::string& path, Bytes bytes) override;

 private:
    std::string root_;
};

}  // namespace skiff::trust
