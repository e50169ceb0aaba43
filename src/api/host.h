#pragma once

#include <skiff/c.h>

#include "host/host.h"

namespace skiff::api {

// The app's functions behind the house's interfaces, with the system's where the app gives none.
// `from` may be null: all is the system's. Owns `user`: releases it with the last of the members,
// or here when it fails.
Result<host::Host> make_host(const skiff_host* from);

}  // namespace skiff::api
