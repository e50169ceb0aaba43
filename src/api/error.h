// How errors cross the C interface.
#pragma once

#include <skiff/c.h>

#include "base/result.h"

namespace skiff::api {

// Fills `out` (which may be null) and returns the code.
int32_t fail(const Error& e, skiff_error* out);
inline int32_t finish(const Status& status, skiff_error* out) {
    return status.ok() ? static_cast<int32_t>(SKIFF_OK) : fail(status.error(), out);
}

// The caller's struct as this library knows it: members that an older caller does not have read as
// 0. False when `size` is smaller than anything that was ever released.
bool read_versioned(const void* from, void* to, std::size_t known_size);

}  // namespace skiff::api
