// The bytes that signatures are made over: OLPC canonical JSON, as TUF uses it.
//
// Members sorted by their UTF-8 bytes, no white space, integers only, strings raw but for `\"` and
// `\\`. The result may hold control characters and so need not be JSON that a parser takes back; it
// is only ever hashed and signed.
#pragma once

#include <string>

#include "base/json.h"

namespace skiff::trust {

// Code::invalid_argument for a number that is not an integer of 64 bits.
Result<std::string> canonical_json(const Json& value);

}  // namespace skiff::trust
