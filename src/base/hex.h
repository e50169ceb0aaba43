#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace skiff {

std::string to_hex(Bytes bytes);  // lower case
Result<std::vector<std::uint8_t>> from_hex(std::string_view text);

std::string to_base64(Bytes bytes);  // standard alphabet, padded
Result<std::vector<std::uint8_t>> from_base64(std::string_view text);

inline Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace skiff
