#include "device/download_state.h"

namespace skiff::device {

namespace {

bool same(const Progress& a, const Progress& b) {
    return a.state == b.state && a.bytes == b.bytes && a.total_bytes == b.total_bytes &&
           a.why == b.why;
}

}  // namespace

void Download::State::report(const Progress& now) {
    std::unique_lock lock(mutex);
    if (done || same(progress, now)) return;
    progress = now;
    const auto call = on_progress;
    const auto hand_over = post;
    lock.unlock();  // an executor may run what it is given at once
    if (call && hand_over) hand_over([call, now] { call(now); });
}

void Download::State::finish(Status with) {
    std::unique_lock lock(mutex);
    if (done) return;
    done = true;
    progress.state = with.ok() ? Progress::State::active : Progress::State::failed;
    if (!with.ok()) progress.why = with.error().message;
    result = std::move(with);
    changed.notify_all();
    wake = nullptr;
    const auto call = std::move(on_progress);
    const auto hand_over = std::move(post);
    on_progress = nullptr;
    post = nullptr;
    const Progress now = progress;
    lock.unlock();
    if (call && hand_over) hand_over([call, now] { call(now); });
}

Progress Download::progress() const {
    std::lock_guard lock(state_->mutex);
    return state_->progress;
}

void Download::on_progress(std::function<void(const Progress&)> callback) {
    std::lock_guard lock(state_->mutex);
    if (!state_->done) state_->on_progress = std::move(callback);
}

Status Download::wait(std::chrono::nanoseconds at_most) const {
    std::unique_lock lock(state_->mutex);
    // Beyond a year it is for ever: the sum must not overflow.
    const auto longest = std::chrono::hours(24 * 365);
    const auto until =
        std::chrono::steady_clock::now() + std::min<std::chrono::nanoseconds>(at_most, longest);
    if (!state_->changed.wait_until(lock, until, [&] { return state_->done; }))
        return retryable(Code::deadline_exceeded,
                         "the update goes on: " + (state_->progress.why.empty()
                                                       ? std::string("it is not done yet")
                                                       : state_->progress.why));
    return state_->result;
}

void Download::cancel() {
    state_->cancelled = true;
    std::function<void()> wake;
    {
        std::lock_guard lock(state_->mutex);
        wake = state_->wake;
    }
    if (wake) wake();
}

bool Download::State::is_done() {
    std::lock_guard lock(mutex);
    return done;
}

bool Download::done() const {
    return state_->is_done();
}

Download finished_download(Status result, std::string why) {
    auto state = std::make_shared<Download::State>();
    state->progress.why = std::move(why);
    state->finish(std::move(result));
    return Download(std::move(state));
}

}  // namespace skiff::device
