#pragma once

#include <string>

#include "base/result.h"

namespace skiff::cli {

// One line of standard input, without its end. On a terminal `prompt` is shown and what is typed is
// not.
Result<std::string> read_secret(const char* prompt);

}  // namespace skiff::cli
