#include <algorithm>
#include <optional>

#include "base/hex.h"
#include "base/url.h"
#include "device/download.h"

namespace skiff::device {

namespace {

using trust::Fetched;

Result<Fetched> ask(Mirrors& mirrors, const std::string& url, std::uint64_t max_bytes,
                    const std::string& etag) {
    host::HttpRequest request{.url = url,
                              .max_bytes = std::max(max_bytes, Mirrors::error_page_bytes)};
    if (!etag.empty()) request.headers.emplace_back("If-None-Match", etag);
    Fetched fetched;
    int status = 0;
    bool too_long = false;
    const auto response =
        mirrors.send(request, [&](const host::HttpResponse& so_far, Bytes bytes) -> bool {
            status = so_far.status;
            if (status != 200) return true;
            too_long = bytes.size() > max_bytes - fetched.bytes.size();
            if (!too_long) fetched.bytes += as_text(bytes);
            return !too_long;
        });
    if (too_long)
        return error(Code::resource_exhausted,
                     display_url(url) + ": is longer than " + std::to_string(max_bytes) + " bytes");
    if (response.ok()) status = response->status;
    // (An error page that broke off still told its status.)
    if (!response.ok() && (status == 0 || status == 200)) return response.error();
    if (status == 200) {
        fetched.kind = Fetched::Kind::file;
        fetched.etag = response->header("etag");
        return fetched;
    }
    if (status == 304 && !etag.empty()) return Fetched{Fetched::Kind::not_modified, {}, {}};
    // 403: how buckets say it whose contents may not be listed.
    if (status == 404 || status == 403 || status == 410)
        return Fetched{Fetched::Kind::not_found, {}, {}};
    return retryable(Code::unavailable, display_url(url) + ": HTTP " + std::to_string(status));
}

}  // namespace

Result<Fetched> MetadataFetcher::get(const std::string& path, std::uint64_t max_bytes,
                                     const std::string& etag) {
    std::optional<Error> failure;
    bool absent = false;
    for (const std::string& mirror : mirrors_.in_order()) {
        const std::string mark = mirror + " ";
        auto fetched = ask(mirrors_, mirror + "/metadata/" + path, max_bytes,
                           etag.starts_with(mark) ? etag.substr(mark.size()) : std::string());
        if (!fetched.ok()) {
            failure = fetched.take_error();
            mirrors_.failed(mirror);
            continue;
        }
        if (fetched->kind == Fetched::Kind::not_found) {
            absent = true;
            // A stick that is not plugged in, a portal's answer to everything: no repository.
            if (path == "timestamp.json") mirrors_.failed(mirror);
            continue;
        }
        mirrors_.answered(mirror);
        if (!fetched->etag.empty()) fetched->etag = mark + fetched->etag;
        return fetched;
    }
    // A root that nobody has is the usual answer, and must not wait for a mirror that is down.
    // Other files must be somewhere: perhaps on the one that could not be asked.
    if (absent && (!failure || path.ends_with(".root.json"))) return Fetched{};
    if (failure) return *failure;
    return error(Code::invalid_argument, "no repository to ask (give at least one URL)");
}

}  // namespace skiff::device
