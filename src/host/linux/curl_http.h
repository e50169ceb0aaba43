#pragma once

#include <memory>

#include "host/host.h"

namespace skiff::host {

// http, https and file URLs by libcurl. One easy handle per calling thread at a time; connections
// are kept and reused. Redirects are not followed: what a device fetches is named by its own
// configuration.
std::shared_ptr<Http> curl_http();

}  // namespace skiff::host
