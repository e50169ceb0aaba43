// Helpers on top of the public Result: short names for the house, and context added on the way up.
#pragma once

#include <skiff/base.h>

#define TRY(expression) SKIFF_TRY(expression)

namespace skiff {

inline Error error(Code code, std::string message) {
    return Error{code, std::move(message), false};
}
inline Error retryable(Code code, std::string message) {
    return Error{code, std::move(message), true};
}

// "reading model.tflite: <message>": what was being done, before what went wrong.
inline Error with_context(Error e, std::string_view doing) {
    e.message = std::string(doing) + ": " + e.message;
    return e;
}

// Stops the program: for mistakes of ours, never for bad input. Always on.
[[noreturn]] void check_failed(const char* expression, const char* file, int line);
#define CHECK(expression) \
    ((expression) ? (void)0 : ::skiff::check_failed(#expression, __FILE__, __LINE__))

}  // namespace skiff
