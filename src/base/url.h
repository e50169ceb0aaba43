#pragma once

#include <string>
#include <string_view>

namespace skiff {

// `url` as messages and logs may show it: without user, password, query and fragment, which hold
// secrets. "http://user:sekret@host/p?token=x" is "http://host/p".
std::string display_url(std::string_view url);

}  // namespace skiff
