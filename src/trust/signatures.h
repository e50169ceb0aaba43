// Is a file signed by enough of the right keys?
#pragma once

#include <string_view>

#include "trust/metadata.h"

namespace skiff::trust {

// Counts different keys, not keyids: one key under two names is one signature. Signatures of keys
// that the role does not list, and broken ones, count nothing and harm nothing.
std::int64_t count_signatures(const Envelope& file, const Keys& keys, const RoleKeys& role);

// Code::bad_signature below the threshold.
Status check_signatures(const Envelope& file, const Keys& keys, const RoleKeys& role,
                        std::string_view what);

}  // namespace skiff::trust
