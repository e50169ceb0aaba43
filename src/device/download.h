// One file from one of several mirrors into one place on disk: resumed, bounded, checked.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "host/host.h"
#include "trust/client.h"
#include "trust/store.h"

namespace skiff::device {

// Bases of the same repository ("https://host/p/demo", "file:///media/usb"), the preferred one
// first; kept without a slash at their end. One that failed for want of network or with a broken
// answer is tried last for five minutes. One thread at a time.
class Mirrors {
 public:
    // Of an answer that is an error: read and dropped, so that the connection stays.
    static constexpr std::uint64_t error_page_bytes = 256 << 10;

    // `http` may be null: then send() is Code::no_network (no retry).
    Mirrors(std::vector<std::string> urls, std::shared_ptr<host::Http> http,
            std::shared_ptr<host::Clock> clock);

    const std::vector<std::string>& urls() const { return urls_; }
    std::vector<std::string> in_order() const;  // best first
    void failed(const std::string& url);
    void answered(const std::string& url);
    // Http::send, counted: also what a broken transfer carried, which Http cannot say.
    Result<host::HttpResponse> send(const host::HttpRequest& request,
                                    FunctionRef<bool(const host::HttpResponse&, Bytes)> on_body);
    // What all requests of this object and of downloads through it carried, both ways.
    std::uint64_t bytes_on_wire() const { return bytes_on_wire_; }
    void add_bytes_on_wire(std::uint64_t bytes) { bytes_on_wire_ += bytes; }
    host::Http& http() { return *http_; }
    bool has_http() const { return http_ != nullptr; }
    host::Clock& clock() { return *clock_; }

 private:
    const std::vector<std::string> urls_;
    const std::shared_ptr<host::Http> http_;
    const std::shared_ptr<host::Clock> clock_;
    std::vector<std::optional<std::int64_t>> failed_at_ns_;  // by index of urls_
    std::uint64_t bytes_on_wire_ = 0;
};

// The metadata folder of the mirrors, as trust::Client wants it. An ETag belongs to one mirror: the
// tag given out names its mirror, and only that one is asked with it. What one mirror has not, the
// others are asked for: not_found when nobody has it. Errors, each of the last mirror: those of
// Http, unavailable (retry) for other HTTP statuses, resource_exhausted.
class MetadataFetcher final : public trust::Fetcher {
 public:
    explicit MetadataFetcher(Mirrors& mirrors) : mirrors_(mirrors) {}
    Result<trust::Fetched> get(const std::string& path, std::uint64_t max_bytes,
                               const std::string& etag) override;

 private:
    Mirrors& mirrors_;
};

struct DownloadProgress {
    std::uint64_t bytes = 0, total_bytes = 0;  // bytes: on disk, those of earlier attempts included
    double bytes_per_s = 0;                    // over the last seconds
};

// Fetches a target to `file`, whose folder is there. What an earlier attempt left at `file`.part is
// continued (Range; the bytes that are there are checked again, not trusted), with another mirror
// when one breaks off. `file` appears whole, synced and verified, or not at all. `may_continue` is
// asked before each request and after each piece: an error from it ends the download with that
// error and leaves the .part. Errors: no_network, data_loss, deadline_exceeded, unavailable for
// other HTTP statuses (all retry); hash_mismatch when every mirror that answered gave a body that
// is wrong or too long (the .part is gone); those of base/files, not_enough_space among them, which
// leave the .part. A wrong body that had bytes of an earlier attempt or of another mirror in it is
// nobody's fault yet: it is fetched once more from one alone.
Status download_target(Mirrors& mirrors, const trust::TargetInfo& target, const std::string& file,
                       FunctionRef<Status(const DownloadProgress&)> may_continue);

}  // namespace skiff::device
