// Where a project's repository lives (docs/formats/project.md): a folder or a project on a server.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trust/tree.h"

namespace skiff::publish {

struct MetadataFile {
    std::string path;  // "metadata/2.models.digits.json"
    std::string bytes;
};

struct AuditNote {
    std::string what, subject, why;  // "publish", "digits:2", "better on sevens"
};

// A set of metadata files that take effect together, made on timestamp version `base` (0: none).
struct Publication {
    std::int64_t base = 0;
    std::vector<MetadataFile> files;  // in the order in which they must become visible
    std::vector<AuditNote> audit = {};
};

class Home {
 public:
    virtual ~Home() = default;
    virtual std::string describe() const = 0;  // for people: a path or a URL
    // The version of its timestamp.json; 0 when nothing is published there.
    virtual Result<std::int64_t> version() = 0;
    virtual Result<std::string> read(const std::string& path) = 0;  // Code::not_found
    virtual Result<bool> exists(const std::string& path) = 0;
    // "targets/models/digits/<sha256>.3.tflite", durable when it returns. Code::hash_mismatch when
    // the bytes are not those that the name says.
    virtual Status put_target(const std::string& path, Bytes bytes) = 0;
    // Code::aborted (retry) when the version is another than publication.base. After any error but
    // one from the last file on, the home is as it was.
    virtual Status take(const Publication& publication) = 0;
    // Held while a change is made and handed over, so that publishers of one folder queue instead
    // of overtaking each other. Courtesy, not safety: take() decides. Null where there is no queue.
    virtual std::shared_ptr<void> turn() { return nullptr; }
};

// `who` goes into audit_file with the notes; audit_file may be empty: no audit (a server keeps its
// own). One thread; any number of processes may have a home on the same folder.
std::unique_ptr<Home> folder_home(const std::string& folder, const std::string& audit_file,
                                  const std::string& who);

// A tree over a home: reads through, target writes pass, metadata writes are kept in order until
// take_files(). trust::Repository commits into it.
class StagedTree final : public trust::Tree {
 public:
    explicit StagedTree(Home& home) : home_(home) {}
    Result<std::string> read(const std::string& path) override;
    // Of metadata: also true when the home cannot say, so that the read that follows gives the
    // reason.
    bool exists(const std::string& path) override;
    Status write(const std::string& path, Bytes bytes) override;
    std::vector<MetadataFile> take_files() { return std::exchange(files_, {}); }

 private:
    Home& home_;
    std::vector<MetadataFile> files_;
};

// Where the bytes of a target lie: "targets/models/digits/<sha256>.3.tflite" for
// "models/digits/3.tflite".
std::string target_file(const std::string& path, const std::string& sha256);
// The hash in such a name. Code::invalid_argument unless it has that form and a role of ours may
// sign the path.
Result<std::string> hash_of_target_file(const std::string& file);
// That a file may be put under this name: the form of target_file(), a path that a role of ours may
// sign, and the hash of these bytes. Code::invalid_argument, hash_mismatch.
Status check_target_file(const std::string& file, Bytes bytes);

// What a server checks before it takes a publication: the whole repository as it would be is valid
// (every signature, no version below the last, every target that a changed role names is there),
// nothing signed is overwritten, no file comes along that nothing names, and the root is the one of
// before or signed by it. Expiry is not looked at. Code::bad_signature, invalid_argument,
// failed_precondition (a target is absent), aborted (made on another version).
Status verify_publication(Home& home, const Publication& publication);

}  // namespace skiff::publish
