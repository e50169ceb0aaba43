#include "server/static_files.h"

#include <algorithm>
#include <charconv>

#include "base/files.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "publish/left_files.h"
#include "server/answers.h"

namespace skiff::server {

namespace {

constexpr std::size_t longest_segment = 200;
constexpr std::size_t hash_digits = 64;
constexpr std::size_t tag_digits = 16;  // every byte of an idle check counts
constexpr const char* immutable = "max-age=31536000, immutable";

Response no_such_file() {
    return error_response(404, "NOT_FOUND", "no such file");
}

// Names that a repository has, and no other: nothing that leads out of the tree, no hidden files,
// no temporary ones.
bool is_served_name(std::string_view name) {
    if (name.empty() || name.size() > longest_segment || name.front() == '.') return false;
    if (publish::is_temporary_name(name)) return false;
    return std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-' || c == '~' || c == '%';
    });
}

bool is_served_path(std::string_view path) {
    if (!path.starts_with("metadata/") && !path.starts_with("targets/")) return false;
    while (!path.empty()) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        if (!is_served_name(path.substr(0, slash))) return false;
        if (slash + 1 == path.size()) return false;  // a folder
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return true;
}

// If-None-Match, with its weak comparison.
bool names_tag(std::string_view list, std::string_view tag) {
    while (!list.empty()) {
        std::string_view item = list.substr(0, list.find(','));
        list.remove_prefix(std::min(list.size(), item.size() + 1));
        const auto blank = [](char c) { return c == ' ' || c == '\t'; };
        while (!item.empty() && blank(item.front())) item.remove_prefix(1);
        while (!item.empty() && blank(item.back())) item.remove_suffix(1);
        if (item.starts_with("W/")) item.remove_prefix(2);
        if (item == tag || item == "*") return true;
    }
    return false;
}

struct Range {
    enum class Kind { whole, part, unsatisfiable };
    Kind kind = Kind::whole;
    std::uint64_t begin = 0, length = 0;
};

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t value = 0;
    const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || status != std::errc() || stop != text.data() + text.size())
        return std::nullopt;
    return value;
}

// One range of bytes; what we do not understand, or several ranges, is answered with the whole.
Range range_of(std::string_view header, std::uint64_t size) {
    const Range whole{Range::Kind::whole, 0, size}, none{Range::Kind::unsatisfiable, 0, 0};
    if (!header.starts_with("bytes=")) return whole;
    header.remove_prefix(6);
    const std::size_t dash = header.find('-');
    if (dash == header.npos) return whole;
    const std::string_view first = header.substr(0, dash), last = header.substr(dash + 1);
    const auto from = number_of(first), to = number_of(last);
    if ((!first.empty() && !from) || (!last.empty() && !to) || (first.empty() && last.empty()))
        return whole;
    if (!from) {  // the last so many
        const std::uint64_t n = std::min(*to, size);
        return n == 0 ? none : Range{Range::Kind::part, size - n, n};
    }
    if (to && *to < *from) return whole;
    if (*from >= size) return none;
    const std::uint64_t end = to && *to < size ? *to + 1 : size;
    return {Range::Kind::part, *from, end - *from};
}

Response with_range(Response response, const Request& request, const std::string& tag) {
    const std::uint64_t size = response.length();
    if (response.file) response.headers.emplace_back("Accept-Ranges", "bytes");
    const std::string_view header = request.header("range"), condition = request.header("if-range");
    if (header.empty() || request.method != "GET" || (!condition.empty() && condition != tag))
        return response;
    const Range range = range_of(header, size);
    if (range.kind == Range::Kind::whole) return response;
    if (range.kind == Range::Kind::unsatisfiable) {
        Response refusal =
            error_response(416, "OUT_OF_RANGE", "the file has " + std::to_string(size) + " bytes");
        refusal.headers.emplace_back("Content-Range", "bytes */" + std::to_string(size));
        return refusal;
    }
    response.status = 206;
    response.headers.emplace_back("Content-Range",
                                  "bytes " + std::to_string(range.begin) + "-" +
                                      std::to_string(range.begin + range.length - 1) + "/" +
                                      std::to_string(size));
    if (response.file) {
        response.file->begin = range.begin;
        response.file->length = range.length;
    } else {
        response.body = response.body.substr(range.begin, range.length);
    }
    return response;
}

Response answer(Response response, const Request& request, const std::string& tag,
                const char* caching) {
    response.headers.emplace_back("ETag", tag);
    response.headers.emplace_back("Cache-Control", caching);
    if (names_tag(request.header("if-none-match"), tag)) {
        response.status = 304;
        response.file.reset();
        response.body.clear();
        return response;
    }
    return with_range(std::move(response), request, tag);
}

Response serve_target(const std::string& file, const std::string& name, const Request& request) {
    const auto opened = OpenFile::open(file);
    if (!opened.ok() || name.size() < hash_digits) return no_such_file();
    Response response{200, {{"Content-Type", "application/octet-stream"}}};
    response.file = FileSlice{*opened, 0, (*opened)->size()};
    // The name begins with the hash of the content.
    return answer(std::move(response), request, "\"" + name.substr(0, tag_digits) + "\"",
                  immutable);
}

Response serve_metadata(const std::string& file, const std::string& name, const Request& request) {
    auto bytes = read_file(file);
    if (!bytes.ok() && bytes.error().code == Code::not_found) return no_such_file();
    if (!bytes.ok()) return storage_failure(bytes.error(), "reading metadata");
    const std::string tag = "\"" + sha256_hex(as_bytes(*bytes)).substr(0, tag_digits) + "\"";
    Response response{200, {{"Content-Type", "application/json"}}, std::move(*bytes)};
    return answer(std::move(response), request, tag,
                  name == "timestamp.json" ? "no-cache" : immutable);
}

}  // namespace

Response serve_file(const std::string& tree, const std::string& path, const Request& request) {
    const auto plain = percent_decoded(path);
    if (!plain || !is_served_path(*plain)) return no_such_file();
    const std::string file = tree + "/" + *plain, name = plain->substr(plain->rfind('/') + 1);
    return plain->starts_with("targets/") ? serve_target(file, name, request)
                                          : serve_metadata(file, name, request);
}

}  // namespace skiff::server
