#pragma once

#include <array>
#include <memory>
#include <string>

#include "base/result.h"

namespace skiff {

using Sha256Digest = std::array<std::uint8_t, 32>;

Sha256Digest sha256(Bytes bytes);
std::string sha256_hex(Bytes bytes);

// For bytes that arrive in pieces.
class Sha256 {
 public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    void update(Bytes bytes);
    Sha256Digest finish();  // once

 private:
    struct State;
    std::unique_ptr<State> state_;
};

Result<std::string> sha256_file_hex(const std::string& path);

}  // namespace skiff
