// Targeting conditions in GrowthBook's form: {"app_version": {"$vgte": "3.2.0"}, "$or": [...]}.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace skiff::decide {

// Pure. Attributes are a JSON object; dots in a condition's key walk into it. `saved_groups` is an
// object of arrays, for $inGroup. An operator that is not known matches nothing.
bool condition_holds(const Json& condition, const Json& attributes, const Json& saved_groups);

// What devices would take for "matches nothing", said while somebody can still correct it: no
// object, an operator that is not known (with those that are), a list that is none.
// Code::invalid_argument.
Status check_condition(const Json& condition);
// The attributes that it looks at, sorted: {"app_version", "country"}.
std::set<std::string> condition_attributes(const Json& condition);

// "1.10.0" and "1.9.0" compare as text the way their versions compare.
std::string padded_version(std::string_view version);

}  // namespace skiff::decide
