// How errors cross the C interface.
#pragma once

#include <span>
#include <string_view>

#include <skiff/c.h>

#include "base/result.h"

namespace skiff::api {

// Cut to fit, not inside a UTF-8 letter; ends with 0.
void copy_text(std::string_view text, std::span<char> to);

// Fills `out` (which may be null) and returns the code.
int32_t fail(const Error& e, skiff_error* out);
inline int32_t finish(const Status& status, skiff_error* out) {
    return status.ok() ? static_cast<int32_t>(SKIFF_OK) : fail(status.error(), out);
}

// The caller's struct as this library knows it: members that an older caller does not have read as
// 0. False when `size` is smaller than anything that was ever released.
bool read_versioned(const void* from, void* to, std::size_t known_size);
// The other way: as much of `from` as the caller's struct has room for; its `size` stays.
void write_versioned(const void* from, void* to, std::size_t known_size);

}  // namespace skiff::api
