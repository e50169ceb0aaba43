#pragma once

#include <memory>
#include <string_view>

#include "host/host.h"

namespace skiff::host {

// http, https and file URLs by libcurl. One easy handle per calling thread at a time; connections
// are kept and reused. Messages show URLs without user, password and query.
//
// Redirects of GET and HEAD are followed, five at most: whoever asks verifies every byte anyway.
// An Authorization header stays with the scheme, host and port it was meant for. Other methods get
// the redirect as the answer.
std::shared_ptr<Http> curl_http();

// To http and https only, so never to a file; and from https to https only.
bool may_redirect(std::string_view from, std::string_view to);

}  // namespace skiff::host
