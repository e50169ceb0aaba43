#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace skiff {

// From the system's cryptographic generator.
std::vector<std::uint8_t> random_bytes(std::size_t n);
std::string random_hex(std::size_t bytes);
std::string random_uuid();  // version 4

}  // namespace skiff
