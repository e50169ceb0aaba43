// Length and hashes of a file, as signed metadata states them, checked while its bytes arrive.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace skiff::trust {

using Hashes = std::map<std::string, std::string>;  // algorithm ("sha256", "sha512") -> hex

// One file, one thread.
class FileCheck {
 public:
    FileCheck(std::uint64_t length, Hashes hashes);
    ~FileCheck();
    FileCheck(FileCheck&&) noexcept;
    FileCheck& operator=(FileCheck&&) noexcept;

    void update(Bytes bytes);
    // Code::hash_mismatch unless the length and every hash we know agree; at least one must be
    // known. Once.
    Status finish(std::string_view what);

 private:
    struct State;
    std::unique_ptr<State> state_;
};

Status check_bytes(std::string_view bytes, const Hashes& hashes, std::string_view what);
// Of a file on disk, mapped; Code::not_found when it is not there.
Status check_file(const std::string& path, std::uint64_t length, const Hashes& hashes);

}  // namespace skiff::trust
