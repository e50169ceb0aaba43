// Answers in Firebase's form: {"error":{"code":404,"status":"NOT_FOUND","message":"..."}}.
#pragma once

#include <string>

#include "base/json.h"
#include "server/http.h"

namespace skiff::server {

Response json_response(int status, const Json& body);
Response error_response(int http_status, const std::string& status_word,
                        const std::string& message);
Response error_response(const Error& e);
// For what went wrong on our side, with paths and the like in its message: the log gets that, the
// client one line.
Response storage_failure(const Error& e, const std::string& doing);

}  // namespace skiff::server
