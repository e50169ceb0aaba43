#include "device/download.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <set>

#include "base/files.h"
#include "base/url.h"

namespace skiff::device {

namespace {

constexpr int max_rounds = 3;  // over all mirrors, while bytes still come

// Bytes per second over the last three seconds.
class Rate {
 public:
    explicit Rate(std::int64_t now_ns) : marks_{{now_ns, 0}} {}

    void add(std::int64_t now_ns, std::uint64_t bytes) {
        total_ += bytes;
        if (now_ns - marks_.back().at_ns >= step_ns) marks_.push_back({now_ns, total_});
        while (marks_.size() > 1 && now_ns - marks_[1].at_ns >= window_ns) marks_.pop_front();
        const std::int64_t span_ns = now_ns - marks_.front().at_ns;
        if (span_ns > 0)
            per_s_ = static_cast<double>(total_ - marks_.front().total) * 1e9 /
                     static_cast<double>(span_ns);
    }
    double per_s() const { return per_s_; }

 private:
    static constexpr std::int64_t window_ns = 3'000'000'000, step_ns = 100'000'000;
    struct Mark {
        std::int64_t at_ns;
        std::uint64_t total;
    };
    std::deque<Mark> marks_;
    std::uint64_t total_ = 0;
    double per_s_ = 0;
};

using MayContinue = FunctionRef<Status(const DownloadProgress&)>;

class TargetDownload {
 public:
    TargetDownload(Mirrors& mirrors, const trust::TargetInfo& target, std::string file,
                   MayContinue may_continue)
        : mirrors_(mirrors),
          target_(target),
          file_(std::move(file)),
          may_continue_(may_continue),
          check_(target.length, target.hashes),
          rate_(mirrors.clock().monotonic_ns()) {}

    Status run();

 private:
    // Nothing at fault: part_ is whole and right. (An error instead of an Attempt: not a mirror's,
    // the download ends.)
    struct Attempt {
        std::optional<Error> fault = {};
    };
    // One request and what came of it.
    struct Request {
        const std::string& mirror;
        std::uint64_t from;  // the first byte asked for
        int status = 0;      // 0: nothing came
        bool has_begun = false;
        std::optional<Error> refused = {};  // the mirror's fault
        std::optional<Error> stopped = {};  // ours, or the caller's wish: ends the download
    };

    Status open_part();
    Status restart();
    Status fetch();
    Result<Attempt> fetch_from(const std::string& mirror);
    void send(Request& request);
    bool begin(Request& request, const host::HttpResponse& head);
    bool take(Request& request, Bytes bytes);
    Status go_on();
    Error too_long(const std::string& mirror) const;
    void keep_error(Error e);
    std::uint64_t have() const { return part_->size(); }
    bool is_whole() const { return have() == target_.length; }

    Mirrors& mirrors_;
    const trust::TargetInfo& target_;
    const std::string file_;
    const MayContinue may_continue_;
    std::unique_ptr<GrowingFile> part_;
    trust::FileCheck check_;  // has seen what part_ has
    Rate rate_;
    std::set<std::string> sources_;   // whose bytes part_ has; "": an earlier attempt's
    std::set<std::string> wrong_;     // mirrors that have another file under this name
    std::string etag_, etag_mirror_;  // a strong one, of the file that part_ is a part of
    std::optional<Error> failure_;    // what run() returns when no mirror is left
};

Status TargetDownload::open_part() {
    const std::string path = file_ + ".part";
    part_ = TRY(GrowingFile::open(path));
    if (have() > target_.length) return restart();
    if (have() == 0) return {};
    check_.update(TRY(MappedFile::open(path))->bytes());
    sources_.insert("");
    return {};
}

Status TargetDownload::restart() {
    check_ = trust::FileCheck(target_.length, target_.hashes);
    sources_.clear();
    etag_.clear();
    return part_->truncate();
}

// An error that may pass tells more about what to do than one that does not.
void TargetDownload::keep_error(Error e) {
    if (!failure_ || e.retry || !failure_->retry) failure_ = std::move(e);
}

Status TargetDownload::go_on() {
    return may_continue_({have(), target_.length, rate_.per_s()});
}

Error TargetDownload::too_long(const std::string& mirror) const {
    return error(Code::hash_mismatch, display_url(mirror) + ": " + target_.url_path +
                                          " is longer than the " + std::to_string(target_.length) +
                                          " bytes that its metadata says");
}

bool TargetDownload::begin(Request& request, const host::HttpResponse& head) {
    request.has_begun = true;
    request.status = head.status;
    const std::string where = display_url(request.mirror) + ": " + target_.url_path;
    const auto refuse = [&](Error e) {
        request.refused = std::move(e);
        return false;
    };
    if (head.status == 200) {
        const std::string_view length = head.header("content-length");
        std::uint64_t bytes = target_.length;
        std::from_chars(length.data(), length.data() + length.size(), bytes);
        if (bytes > target_.length) return refuse(too_long(request.mirror));
        if (bytes < target_.length)  // a portal's page, say
            return refuse(retryable(Code::data_loss, where + " is only " + std::to_string(bytes) +
                                                         " bytes long there"));
        if (request.from > 0)
            if (Status emptied = restart(); !emptied.ok()) {
                request.stopped = emptied.take_error();
                return false;
            }
    } else if (head.status == 206) {
        const std::string_view range = head.header("content-range");
        if (request.from == 0 ||
            (!range.empty() && !range.starts_with("bytes " + std::to_string(request.from) + "-")))
            return refuse(retryable(Code::data_loss, where + ": another range than asked for"));
    } else {
        return true;
    }
    sources_.insert(request.mirror);
    etag_mirror_ = request.mirror;
    etag_ = head.header("etag").starts_with('"') ? head.header("etag") : "";
    return true;
}

bool TargetDownload::take(Request& request, Bytes bytes) {
    if (request.status != 200 && request.status != 206) return true;
    if (bytes.size() > target_.length - have()) {
        request.refused = too_long(request.mirror);
        return false;
    }
    Status went = part_->append(bytes);
    if (went.ok()) {
        check_.update(bytes);
        rate_.add(mirrors_.clock().monotonic_ns(), bytes.size());
        went = go_on();
    }
    if (went.ok()) return true;
    request.stopped = went.take_error();
    return false;
}

void TargetDownload::send(Request& request) {
    host::HttpRequest http{.url = request.mirror + "/targets/" + target_.url_path,
                           .max_bytes = std::max(target_.length, Mirrors::error_page_bytes)};
    if (request.from > 0) {
        http.headers.emplace_back("Range", "bytes=" + std::to_string(request.from) + "-");
        if (etag_mirror_ == request.mirror && !etag_.empty())
            http.headers.emplace_back("If-Range", etag_);
    }
    auto answer = mirrors_.send(http, [&](const host::HttpResponse& so_far, Bytes bytes) -> bool {
        if (!request.has_begun && !begin(request, so_far)) return false;
        return take(request, bytes);
    });
    if (request.stopped || request.refused) return;
    if (answer.ok()) request.status = answer->status;
    const bool is_body = request.status == 200 || request.status == 206;
    if (request.status != 0 && !is_body)
        request.refused = retryable(
            Code::unavailable, display_url(http.url) + ": HTTP " + std::to_string(request.status));
    else if (!answer.ok() && is_body && answer.error().code == Code::resource_exhausted)
        request.refused = too_long(request.mirror);
    else if (is_whole())
        return;
    else if (!answer.ok())
        request.refused = answer.take_error();
    else
        request.refused = retryable(Code::data_loss, display_url(http.url) + ": ended after " +
                                                         std::to_string(have()) + " of " +
                                                         std::to_string(target_.length) + " bytes");
}

// A second request only when the first showed that what part_ had is of no use here.
Result<TargetDownload::Attempt> TargetDownload::fetch_from(const std::string& mirror) {
    for (;;) {
        TRY(go_on());
        Request request{.mirror = mirror, .from = have()};
        send(request);
        if (request.stopped) return *request.stopped;
        if (request.status == 416 && request.from > 0) {
            TRY(restart());
            continue;
        }
        if (request.refused && request.refused->code != Code::hash_mismatch)
            return Attempt{request.refused};
        Status right = request.refused ? Status(*request.refused) : check_.finish(target_.path);
        if (right.ok()) return Attempt{};
        const bool is_mixed = !request.refused && sources_.size() > sources_.count(mirror);
        TRY(restart());
        if (is_mixed) continue;
        wrong_.insert(mirror);
        return Attempt{right.take_error()};
    }
}

Status TargetDownload::fetch() {
    if (is_whole()) {
        if (check_.finish(target_.path).ok()) return {};
        TRY(restart());
    }
    for (int round = 0; round < max_rounds; ++round) {
        const std::uint64_t before = have();
        for (const std::string& mirror : mirrors_.in_order()) {
            if (wrong_.contains(mirror)) continue;
            const Attempt attempt = TRY(fetch_from(mirror));
            if (!attempt.fault) {
                mirrors_.answered(mirror);
                return {};
            }
            mirrors_.failed(mirror);
            keep_error(*attempt.fault);
        }
        if (have() <= before) break;
    }
    if (failure_) return *failure_;
    return error(Code::invalid_argument, "no repository to fetch from (give at least one URL)");
}

Status TargetDownload::run() {
    TRY(open_part());
    Status fetched = fetch();
    if (fetched.ok()) return part_->finish_as(file_);
    if (fetched.error().code == Code::hash_mismatch || have() == 0)
        (void)remove_file(file_ + ".part");  // what is reported is why there is no file
    return fetched;
}

}  // namespace

Status download_target(Mirrors& mirrors, const trust::TargetInfo& target, const std::string& file,
                       FunctionRef<Status(const DownloadProgress&)> may_continue) {
    return TargetDownload(mirrors, target, file, may_continue).run();
}

}  // namespace skiff::device
