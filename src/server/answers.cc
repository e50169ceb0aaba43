#include "server/answers.h"

#include <nlohmann/json.hpp>

#include "base/log.h"

namespace skiff::server {

namespace {

struct Wording {
    int http_status;
    const char* word;
};

Wording wording_of(Code code) {
    switch (code) {
        case Code::invalid_argument:
        case Code::hash_mismatch:
        case Code::bad_signature:
        case Code::incompatible:
        case Code::revoked:
            return {400, "INVALID_ARGUMENT"};
        case Code::out_of_range:
            return {400, "OUT_OF_RANGE"};
        case Code::unauthenticated:
            return {401, "UNAUTHENTICATED"};
        case Code::permission_denied:
            return {403, "PERMISSION_DENIED"};
        case Code::not_found:
            return {404, "NOT_FOUND"};
        case Code::already_exists:
            return {409, "ALREADY_EXISTS"};
        case Code::failed_precondition:
            return {400, "FAILED_PRECONDITION"};
        case Code::aborted:  // somebody else was faster: If-Match does not match
            return {412, "FAILED_PRECONDITION"};
        case Code::resource_exhausted:
            return {429, "RESOURCE_EXHAUSTED"};
        case Code::not_enough_space:
            return {507, "RESOURCE_EXHAUSTED"};
        case Code::unavailable:
            return {503, "UNAVAILABLE"};
        case Code::data_loss:
            return {500, "DATA_LOSS"};
        default:
            return {500, "INTERNAL"};
    }
}

}  // namespace

Response json_response(int status, const Json& body) {
    return {status, {{"Content-Type", "application/json"}}, json_text(body) + "\n"};
}

Response error_response(int http_status, const std::string& status_word,
                        const std::string& message) {
    Response response = json_response(
        http_status,
        {{"error", {{"code", http_status}, {"status", status_word}, {"message", message}}}});
    if (http_status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
    if (http_status == 503 || http_status == 507)
        response.headers.emplace_back("Retry-After", "30");
    return response;
}

Response error_response(const Error& e) {
    const Wording wording = wording_of(e.code);
    return error_response(wording.http_status, wording.word, e.message);
}

Response storage_failure(const Error& e, const std::string& doing) {
    log(LogLevel::error, doing + ": " + e.message);
    if (e.code == Code::not_enough_space)
        return error_response(507, "RESOURCE_EXHAUSTED",
                              "the server's disk is full, nothing was taken (try again later)");
    return error_response(503, "UNAVAILABLE",
                          "the server cannot use its storage, nothing was taken (its log says why; "
                          "try again later)");
}

}  // namespace skiff::server
