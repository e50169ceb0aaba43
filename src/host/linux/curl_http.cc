#include "host/linux/curl_http.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <mutex>
#include <vector>

#include "base/url.h"

namespace skiff::host {

namespace {

constexpr int most_redirects = 5;
constexpr std::uint64_t longest_redirect_page_bytes = 64 * 1024;

struct Transfer {
    const HttpRequest* request;
    FunctionRef<bool(const HttpResponse&, Bytes)> on_body;
    std::string url;  // the request's, then where redirects lead
    bool sends_token = true;
    HttpResponse response = {};
    std::uint64_t body_bytes = 0;
    std::uint64_t redirect_page_bytes = 0;
    std::uint64_t wire_bytes = 0;  // of the requests before this one
    bool stopped = false, too_long = false;
    bool is_file = false;
    bool file_resumed = false;
};

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return out;
}

// Only what asks and sends nothing goes on elsewhere.
bool leads_on(const Transfer& transfer) {
    const std::string& method = transfer.request->method;
    if (transfer.is_file || (method != "GET" && method != "HEAD")) return false;
    const int status = transfer.response.status;
    const bool says_so =
        status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    return says_so && !transfer.response.header("location").empty();
}

// "https://host:443"
std::string_view origin_of(std::string_view url) {
    const std::size_t scheme = url.find("://");
    return scheme == url.npos ? url : url.substr(0, url.find_first_of("/?#", scheme + 3));
}

std::size_t take_header(char* data, std::size_t size, std::size_t n, void* user) {
    Transfer& transfer = *static_cast<Transfer*>(user);
    std::string_view line(data, size * n);
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {
        transfer.response.headers.clear();  // of an interim answer
        const std::size_t space = line.find(' ');
        transfer.response.status = space == line.npos ? 0 : std::atoi(line.data() + space + 1);
    } else if (const std::size_t colon = line.find(':'); colon != line.npos) {
        std::string_view value = line.substr(colon + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        transfer.response.headers.emplace_back(lower(line.substr(0, colon)), value);
    }
    return size * n;
}

std::size_t take_body(char* data, std::size_t size, std::size_t n, void* user) {
    Transfer& transfer = *static_cast<Transfer*>(user);
    const std::size_t bytes = size * n;
    if (leads_on(transfer)) {  // the page that says so, for people
        transfer.redirect_page_bytes += bytes;
        return transfer.redirect_page_bytes > longest_redirect_page_bytes ? 0 : bytes;
    }
    if (transfer.is_file) transfer.response.status = transfer.file_resumed ? 206 : 200;
    transfer.body_bytes += bytes;
    transfer.too_long = transfer.body_bytes > transfer.request->max_bytes;
    if (transfer.too_long) return 0;
    transfer.stopped =
        !transfer.on_body(transfer.response, Bytes(reinterpret_cast<std::uint8_t*>(data), bytes));
    return transfer.stopped ? 0 : bytes;
}

// Called as bytes go, and about once a second when none do.
int look_around(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
    auto& transfer = *static_cast<Transfer*>(user);
    if (transfer.request->on_sent && sent > 0)
        transfer.request->on_sent(static_cast<std::uint64_t>(sent));
    const std::atomic<bool>* stops = transfer.request->stops;
    if (!stops || !*stops) return 0;
    transfer.stopped = true;
    return 1;
}

Error to_error(CURLcode code, const Transfer& transfer, const char* detail) {
    const std::string url = display_url(transfer.url);
    if (transfer.stopped) return error(Code::cancelled, url + ": stopped");
    if (transfer.too_long)
        return error(Code::resource_exhausted, url + ": is longer than the " +
                                                   std::to_string(transfer.request->max_bytes) +
                                                   " bytes expected");
    const std::string why = url + ": " + (*detail ? detail : curl_easy_strerror(code));
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return retryable(Code::deadline_exceeded, why);
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_HTTP2_STREAM:
            return retryable(Code::data_loss, why);
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SEND_ERROR:
            return retryable(Code::no_network, why);
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
            return error(Code::invalid_argument, why + " (give http, https or file)");
        default:
            return retryable(Code::unavailable, why);
    }
}

class CurlHttp final : public Http {
 public:
    ~CurlHttp() override {
        for (CURL* handle : idle_) curl_easy_cleanup(handle);
    }

    Result<HttpResponse> send(const HttpRequest& request,
                              FunctionRef<bool(const HttpResponse&, Bytes)> on_body) override {
        CURL* curl = borrow();
        if (!curl) return error(Code::resource_exhausted, "libcurl cannot start");
        Transfer transfer{.request = &request, .on_body = on_body, .url = request.url};
        transfer.is_file = request.url.starts_with("file://");
        Result<HttpResponse> answer = follow(curl, transfer);
        give_back(curl);
        return answer;
    }

 private:
    static Result<HttpResponse> follow(CURL* curl, Transfer& transfer) {
        for (int redirects = 0;; ++redirects) {
            TRY(ask(curl, transfer));
            if (!leads_on(transfer)) return std::move(transfer.response);
            const char* found = nullptr;
            curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &found);
            const std::string next = found ? found : "";
            const std::string from = display_url(transfer.url);
            if (redirects == most_redirects)
                return retryable(Code::unavailable, from + ": redirects again, after " +
                                                        std::to_string(most_redirects) + " times");
            if (!may_redirect(transfer.url, next))
                return retryable(Code::unavailable, from + ": redirects to " + display_url(next) +
                                                        ", which is not followed (only to http "
                                                        "and https, and never off https)");
            if (origin_of(transfer.url) != origin_of(next)) transfer.sends_token = false;
            transfer.url = next;
            transfer.wire_bytes = transfer.response.bytes_on_wire;
            transfer.response = {};
        }
    }

    // One request; the answer's head is in transfer.response.
    static Status ask(CURL* curl, Transfer& transfer) {
        curl_slist* headers = nullptr;
        char detail[CURL_ERROR_SIZE] = "";
        transfer.body_bytes = transfer.redirect_page_bytes = 0;
        set_up(curl, transfer, headers, detail);
        const CURLcode code = curl_easy_perform(curl);
        account(curl, transfer);
        curl_slist_free_all(headers);
        if (transfer.is_file &&
            (code == CURLE_FILE_COULDNT_READ_FILE || code == CURLE_REMOTE_FILE_NOT_FOUND)) {
            transfer.response.status = 404;
            return {};
        }
        if (code != CURLE_OK) return to_error(code, transfer, detail);
        if (transfer.is_file && transfer.response.status == 0)
            transfer.response.status = 200;  // an empty file
        return {};
    }

    static void set_up(CURL* curl, Transfer& transfer, curl_slist*& headers, char* detail) {
        const HttpRequest& request = *transfer.request;
        curl_easy_reset(curl);
        for (const auto& [name, value] : request.headers) {
            if (!transfer.sends_token && lower(name) == "authorization") continue;
            headers = curl_slist_append(headers, (name + ": " + value).c_str());
            if (transfer.is_file && lower(name) == "range" && value.starts_with("bytes=")) {
                curl_easy_setopt(curl, CURLOPT_RANGE, value.c_str() + 6);
                transfer.file_resumed = true;
            }
        }
        curl_easy_setopt(curl, CURLOPT_URL, transfer.url.c_str());
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                         static_cast<long>(std::min<std::int64_t>(request.timeout_ms, 15'000)));
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                         static_cast<long>((request.timeout_ms + 999) / 1000));
        curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
        if (request.stops || request.on_sent) {
            curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
            curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_around);
            curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
        }
        if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        if (request.method != "GET" && request.method != "HEAD") {
            curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                             static_cast<curl_off_t>(request.body.size()));
            headers = curl_slist_append(headers, "Expect:");
        }
        headers = curl_slist_append(headers, "Accept:");  // says nothing, and costs bytes each time
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    }

    static void account(CURL* curl, Transfer& transfer) {
        long request_bytes = 0, header_bytes = 0;
        curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &request_bytes);
        curl_easy_getinfo(curl, CURLINFO_HEADER_SIZE, &header_bytes);
        // TLS: about 5 KB for a handshake, 3 % of the rest.
        long connections = 0;
        curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connections);
        std::uint64_t bytes = static_cast<std::uint64_t>(request_bytes + header_bytes) +
                              transfer.body_bytes + transfer.redirect_page_bytes;
        if (transfer.url.starts_with("https:"))
            bytes += bytes * 3 / 100 + static_cast<std::uint64_t>(connections) * 5'000;
        transfer.response.bytes_on_wire = transfer.is_file ? 0 : transfer.wire_bytes + bytes;
    }

    CURL* borrow() {
        std::lock_guard lock(mutex_);
        if (idle_.empty()) return curl_easy_init();
        CURL* handle = idle_.back();
        idle_.pop_back();
        return handle;
    }
    void give_back(CURL* handle) {
        std::lock_guard lock(mutex_);
        idle_.push_back(handle);
    }

    std::mutex mutex_;
    std::vector<CURL*> idle_;  // with their open connections
};

}  // namespace

bool may_redirect(std::string_view from, std::string_view to) {
    const std::string target = lower(to.substr(0, to.find("://")));
    if (target == "https") return true;
    return target == "http" && lower(from.substr(0, from.find("://"))) == "http";
}

std::shared_ptr<Http> curl_http() {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started != CURLE_OK) return nullptr;
    return std::make_shared<CurlHttp>();
}

}  // namespace skiff::host
