// Where a project's repository lives (docs/formats/project.md): a folder or a project on a server.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "trust/tree.h"

namespace skiff::publish {

struct MetadataFile {
    std::string path;   // "metadata/2.models.digits.json"
    std::string bytes;
};

struct AuditNote {
    std::string what, subject, why;  // "publish", "digits:2", "better on sevens"
};

// A set of metadata files that take effect together, made on timestamp version `base` (0: none).
struct Publication {
    std::int64_t base = 0;
    std::vector<MetadataFile> files;  // in the order in which they must become visible
    std::vector<AuditNote> audit;
};

class Home {
 public:
    virtual ~Home() = default;
    virtual std::string describe() const = 0;  // for people: a path or a URL
    // The version of its timestamp.json; 0 when nothing is published there.
    virtual Result<std::int64_t> version() = 0;
    virtual Result<std::string> read(const std::string& path) = 0;  // Code::not_found
    virtual Result<bool> exists(const std::string& path) = 0;
    // "targets/models/digits/<sha256>.3.tflite", durable when it returns.
    virtual Status put_target(const std::string& path, Bytes bytes) = 0;
    // Code::aborted (retry) when the version is another than publication.base.
    virtual Status take(const Publication& publication) = 0;
};

// `who` goes into audit_file with the notes; audit_file may be empty: no audit (a server keeps its
// own).
std::unique_ptr<Home> folder_home(const std::string& folder, const std::string& audit_file,
                                  const std::string& who);

// A tree over a home: reads through, target writes pass, metadata writes are kept in order until
// publication() takes them. trust::Repository commits into it.
class StagedTree final : public trust::Tree {
 public:
    explicit StagedTree(Home& home) : home_(home) {}
    Result<std::string> read(const std::string& path) override;
    bool exists(const std::string& path) override;
    Status write(const std::string& path, Bytes bytes) override;
    std::vector<MetadataFile> take_files() { return std::move(files_); }

 private:
    Home& home_;
    std::vector<MetadataFile> files_;
};

// What a server checks before it takes a publication: the whole repository as it would be is valid
// (every signature, every version one above the last, every target that a record names is there),
// and the root is the one of before or signed by it. Code::bad_signature, invalid_argument.
Status verify_publication(Home& home, const Publication& publication);

}  // namespace skiff::publish
