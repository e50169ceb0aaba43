// Where a client keeps its trusted metadata, and where it gets new files from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace skiff::trust {

// Files by plain name ("root.json", "models.digits.json", "timestamp.etag"), whole and durable.
class Store {
 public:
    virtual ~Store() = default;
    virtual Result<std::string> read(const std::string& name) = 0;  // Code::not_found
    // Readers see the old bytes or the new ones, also after a power cut.
    virtual Status write(const std::string& name, std::string_view bytes) = 0;
    virtual Status remove(const std::string& name) = 0;  // fine if absent
};

class FolderStore final : public Store {
 public:
    explicit FolderStore(std::string folder) : folder_(std::move(folder)) {}
    Result<std::string> read(const std::string& name) override;
    Status write(const std::string& name, std::string_view bytes) override;
    Status remove(const std::string& name) override;

 private:
    std::string folder_;
};

struct Fetched {
    enum class Kind { file, not_found, not_modified };
    Kind kind = Kind::not_found;
    std::string bytes;  // of a file
    std::string etag;   // of a file, as the server gave it; may be empty
};

// A folder of a repository, somewhere. Implementations need not be trusted with anything but their
// own limits.
class Fetcher {
 public:
    virtual ~Fetcher() = default;
    // `path` is relative and percent-encoded ("12.snapshot.json"). More than `max_bytes` is
    // Code::resource_exhausted, and no more than that is ever held. With an `etag` the request is
    // conditional, and not_modified a possible answer.
    virtual Result<Fetched> get(const std::string& path, std::uint64_t max_bytes,
                                const std::string& etag) = 0;
};

}  // namespace skiff::trust
