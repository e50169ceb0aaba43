// Targeting conditions in GrowthBook's form: {"app_version": {"$vgte": "3.2.0"}, "$or": [...]}.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace skiff::decide {

// Pure. Attributes are a JSON object; dots in a condition's key walk into it. `saved_groups` is an
// object of arrays, for $inGroup. An operator that is not known matches nothing.
bool condition_holds(const Json& condition, const Json& attributes, const Json& saved_groups);

// "1.10.0" and "1.9.0" compare as text the way their versions compare.
std::string padded_version(std::string_view version);

}  // namespace skiff::decide
