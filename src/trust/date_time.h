// "2026-11-22T12:38:00Z" to and from unix seconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace skiff::trust {

Result<std::int64_t> parse_date_time(
    std::string_view text);  // exactly that form, years 1970 to 9999
std::string date_time_text(std::int64_t unix_s);

}  // namespace skiff::trust
