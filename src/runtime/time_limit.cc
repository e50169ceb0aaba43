#include "runtime/time_limit.h"

#include <string>

namespace skiff::runtime {

TimeLimit::TimeLimit(Engine& engine, std::chrono::milliseconds limit) : limit_(limit) {
    thread_ = std::thread([this, &engine] {
        std::unique_lock lock(mutex_);
        if (done_.wait_for(lock, limit_, [this] { return finished_; })) return;
        passed_ = true;
        // Again and again: a cancel between two invocations would be forgotten by the next one.
        while (!done_.wait_for(lock, std::chrono::milliseconds(20), [this] { return finished_; }))
            engine.cancel();
    });
}

TimeLimit::~TimeLimit() {
    {
        const std::lock_guard lock(mutex_);
        finished_ = true;
    }
    done_.notify_all();
    thread_.join();
}

Error TimeLimit::explain(const Error& e) const {
    const std::lock_guard lock(mutex_);
    if (!passed_ || e.code != Code::cancelled) return e;
    return error(Code::deadline_exceeded,
                 "did not finish within " + std::to_string(limit_.count() / 1000) + " s");
}

}  // namespace skiff::runtime
