#include <algorithm>

#include "device/download.h"

namespace skiff::device {

namespace {

constexpr std::int64_t tried_last_ns = 5 * 60 * 1'000'000'000LL;

std::vector<std::string> without_slashes(std::vector<std::string> urls) {
    for (std::string& url : urls)
        while (url.ends_with('/')) url.pop_back();
    return urls;
}

// Of a transfer that broke off: what came of the body, headers both ways and perhaps a handshake.
std::uint64_t estimate(const host::HttpRequest& request, const Error& why,
                       std::uint64_t body_bytes) {
    if (request.url.starts_with("file:")) return 0;
    if (body_bytes == 0 && why.code == Code::no_network) return 0;
    const std::uint64_t bytes = request.body.size() + body_bytes + 1'000;
    return request.url.starts_with("https:") ? bytes + bytes * 3 / 100 + 5'000 : bytes;
}

}  // namespace

Mirrors::Mirrors(std::vector<std::string> urls, std::shared_ptr<host::Http> http,
                 std::shared_ptr<host::Clock> clock)
    : urls_(without_slashes(std::move(urls))),
      http_(std::move(http)),
      clock_(std::move(clock)),
      failed_at_ns_(urls_.size()) {
    CHECK(clock_);
}

// Those that failed lately stand last, the one that has rested longest first.
std::vector<std::string> Mirrors::in_order() const {
    const std::int64_t now_ns = clock_->monotonic_ns();
    std::vector<std::pair<std::int64_t, std::size_t>> order;
    for (std::size_t i = 0; i < urls_.size(); ++i) {
        const bool lately = failed_at_ns_[i] && now_ns - *failed_at_ns_[i] < tried_last_ns;
        order.emplace_back(lately ? *failed_at_ns_[i] : INT64_MIN, i);
    }
    std::sort(order.begin(), order.end());
    std::vector<std::string> urls;
    urls.reserve(order.size());
    for (const auto& [when_ns, i] : order) urls.push_back(urls_[i]);
    return urls;
}

void Mirrors::failed(const std::string& url) {
    const std::int64_t now_ns = clock_->monotonic_ns();
    for (std::size_t i = 0; i < urls_.size(); ++i)
        if (urls_[i] == url) failed_at_ns_[i] = now_ns;
}

void Mirrors::answered(const std::string& url) {
    for (std::size_t i = 0; i < urls_.size(); ++i)
        if (urls_[i] == url) failed_at_ns_[i].reset();
}

Result<host::HttpResponse> Mirrors::send(
    const host::HttpRequest& request, FunctionRef<bool(const host::HttpResponse&, Bytes)> on_body) {
    if (!http_) return error(Code::no_network, "this device has no HTTP (give one in the host)");
    std::uint64_t body_bytes = 0;
    auto response =
        http_->send(request, [&](const host::HttpResponse& so_far, Bytes bytes) -> bool {
            body_bytes += bytes.size();
            return on_body(so_far, bytes);
        });
    bytes_on_wire_ +=
        response.ok() ? response->bytes_on_wire : estimate(request, response.error(), body_bytes);
    return response;
}

}  // namespace skiff::device
