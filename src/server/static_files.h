// The static tree over HTTP: ETag, If-None-Match, Range, If-Range, Cache-Control.
#pragma once

#include <string>

#include "server/http.h"

namespace skiff::server {

// `path` is what follows /p/{project}/, percent-encoded or not ("metadata/2.models.digits.json").
// GET and HEAD.
Response serve_file(const std::string& tree, const std::string& path, const Request& request);

}  // namespace skiff::server
