// A whole pass over all models: what sync() does, and the periodic check.
#include "base/log.h"
#include "device/checker.h"
#include "device/reporter.h"
#include "device/worker.h"

namespace skiff::device {

namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto lock_poll = 20ms;
constexpr std::chrono::nanoseconds first_retry = 1s, longest_retry = 15min;

// What a pass says in the end: that nothing could be reached before what it did not do.
class Verdict {
 public:
    void add(const Status& status) {
        if (status.ok()) return;
        const bool weak = worst_.ok() || worst_.error().code == Code::conditions_unmet;
        if (weak) worst_ = status;
    }
    const Status& worst() const { return worst_; }

 private:
    Status worst_;
};

}  // namespace

std::vector<UpdateRequest> Worker::background_requests() {
    std::vector<std::shared_ptr<ModelHandle>> handles;
    {
        std::lock_guard lock(mutex_);
        if (handles_) handles = handles_();
    }
    std::vector<UpdateRequest> requests;
    for (const auto& handle : handles)
        if (handle->follows_rules()) requests.push_back(handle->request());
    return requests;
}

Result<std::unique_ptr<FileLock>> Worker::lock_until(Time until) {
    for (;;) {
        auto lock = core_->store->update_lock();
        if (lock.ok() || lock.error().code != Code::unavailable) return lock;
        if (core_->stops) return error(Code::cancelled, "the client is going");
        if (steady_clock::now() >= until)
            return retryable(Code::deadline_exceeded,
                             "another process was updating this store all the time");
        std::this_thread::sleep_for(lock_poll);
    }
}

Status Worker::pass(Time until, std::vector<UpdateRequest>* kept_back) {
    Verdict verdict;
    {
        const auto lock = TRY(lock_until(until));
        const HttpDeadline bounded(*core_, until);
        TRY(core_->store->publish_changes());
        const Status checked = check(*core_, TRY(core_->store->models()));
        verdict.add(checked);
        for (const UpdateRequest& request : background_requests()) {
            const Status updated = update(*core_, request, [&](const Progress&) -> Status {
                if (core_->stops) return error(Code::cancelled, "the client is going");
                if (steady_clock::now() < until) return {};
                return retryable(Code::deadline_exceeded,
                                 "the time was up while " + request.model +
                                     " was fetched: it goes on from there");
            });
            verdict.add(updated);
            if (kept_back && !updated.ok() && updated.error().code == Code::conditions_unmet)
                kept_back->push_back(request);
        }
        if (!core_->stops && steady_clock::now() < until) verdict.add(report(*core_));
        if (checked.ok()) {
            TRY(core_->store->set_fact("checked_at_s", std::to_string(core_->now_s())));
        }
    }
    look_all();
    return verdict.worst();
}

Status Worker::sync(std::chrono::nanoseconds at_most) {
    const auto longest = std::chrono::hours(24 * 365);
    Status done =
        pass(steady_clock::now() + std::min<std::chrono::nanoseconds>(at_most, longest), nullptr);
    nudge();
    return done;
}

bool Worker::periodic_is_due() {
    if (steady_clock::now() < periodic_not_before_) return false;
    const auto checked_at_s = core_->store->number_fact("checked_at_s");
    if (!checked_at_s.ok()) return false;
    const std::int64_t now_s = core_->now_s();
    // A clock that went back must not keep us from checking for years.
    return *checked_at_s > now_s || now_s - *checked_at_s >= core_->options.check_every.count();
}

void Worker::periodic() {
    std::vector<UpdateRequest> kept_back;
    const Status done = pass(steady_clock::now() + 1h, &kept_back);
    for (const UpdateRequest& request : kept_back) (void)submit(request, false);
    if (core_->stops) return;  // what that broke off is no failure
    const bool failed = !done.ok() && done.error().code != Code::conditions_unmet;
    if (!done.ok()) log(LogLevel::info, "the periodic check: " + done.error().message);
    if (failed) {
        periodic_pause_ = std::min(std::max(periodic_pause_ * 2, first_retry), longest_retry);
        periodic_not_before_ =
            steady_clock::now() +
            std::min<std::chrono::nanoseconds>(periodic_pause_, core_->options.check_every);
    } else if (std::exchange(periodic_pause_, {}) > std::chrono::nanoseconds()) {
        log(LogLevel::info, "the periodic check works again");
    }
}

}  // namespace skiff::device
