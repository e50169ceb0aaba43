#include "curl_fetcher.h"

#include <curl/curl.h>
#include <strings.h>

namespace skiff::trust {

namespace {

struct Transfer {
    Fetched reply;
    std::uint64_t max_bytes = 0;
    bool too_large = false;
};

std::size_t take_body(char* data, std::size_t size, std::size_t n, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    if (transfer.reply.bytes.size() + size * n > transfer.max_bytes) {
        transfer.too_large = true;
        return 0;
    }
    transfer.reply.bytes.append(data, size * n);
    return size * n;
}

std::size_t take_header(char* data, std::size_t size, std::size_t n, void* user) {
    constexpr std::string_view name = "etag:";
    std::string_view line(data, size * n);
    if (line.size() > name.size() && ::strncasecmp(line.data(), name.data(), name.size()) == 0) {
        line.remove_prefix(name.size());
        const auto begin = line.find_first_not_of(" \t");
        const auto end = line.find_last_not_of(" \t\r\n");
        if (begin != std::string_view::npos && begin <= end)
            static_cast<Transfer*>(user)->reply.etag = line.substr(begin, end - begin + 1);
    }
    return size * n;
}

}  // namespace

struct CurlFetcher::Handle {
    CURL* curl = curl_easy_init();
    ~Handle() { curl_easy_cleanup(curl); }
};

CurlFetcher::CurlFetcher(std::string base_url)
    : base_url_(std::move(base_url)), handle_(std::make_unique<Handle>()) {
    if (!base_url_.empty() && base_url_.back() != '/') base_url_ += '/';
}

CurlFetcher::~CurlFetcher() = default;

Result<Fetched> CurlFetcher::get(const std::string& path, std::uint64_t max_bytes,
                                 const std::string& etag) {
    CURL* curl = handle_->curl;
    if (!curl) return error(Code::internal, "libcurl did not start");
    const std::string url = base_url_ + path;
    Transfer transfer;
    transfer.max_bytes = max_bytes;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 20L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 100L);  // bytes per second: slow retrieval
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 30L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
    curl_slist* headers = nullptr;
    if (!etag.empty()) headers = curl_slist_append(nullptr, ("If-None-Match: " + etag).c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    const CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && (status == 404 || status == 403)) return Fetched{};
    if (code == CURLE_OK && status == 304)
        return Fetched{Fetched::Kind::not_modified, {}, transfer.reply.etag};
    if (transfer.too_large && status != 404 && status != 403)
        return error(Code::resource_exhausted,
                     url + " is larger than " + std::to_string(max_bytes) + " bytes");
    if (transfer.too_large) return Fetched{};
    if (code != CURLE_OK) return retryable(Code::no_network, url + ": " + curl_easy_strerror(code));
    if (status != 200)
        return retryable(Code::unavailable, url + ": HTTP status " + std::to_string(status));
    transfer.reply.kind = Fetched::Kind::file;
    return std::move(transfer.reply);
}

}  // namespace skiff::trust
