// JSON as nlohmann's tree, parsed without exceptions. Include <nlohmann/json.hpp> in the .cc file
// that looks inside.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace skiff {

using Json = nlohmann::json;

// Refuses what a careful reader must: duplicate keys, nesting deeper than 64, bytes after the end,
// bad UTF-8. `what` names the document in the error ("timestamp.json").
Result<Json> parse_json(std::string_view text, std::string_view what);

// Members of objects, with errors that say which member of which document is missing or of the
// wrong kind.
Result<std::string> json_string(const Json& object, const char* key, std::string_view what);
Result<std::int64_t> json_int(const Json& object, const char* key, std::string_view what);
Result<bool> json_bool(const Json& object, const char* key, std::string_view what);
// Pointers into `object`; null Json kinds are errors.
Result<const Json*> json_object(const Json& object, const char* key, std::string_view what);
Result<const Json*> json_array(const Json& object, const char* key, std::string_view what);

std::string json_text(const Json& value);         // compact; bad UTF-8 replaced
std::string json_text_pretty(const Json& value);  // two spaces

}  // namespace skiff
