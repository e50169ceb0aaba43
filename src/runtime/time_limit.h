#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/result.h"
#include "runtime/engine.h"

namespace skiff::runtime {

// Cancels an engine's invocation when the limit passes before this object goes. Engines that cannot
// cancel run on; those in a child have a limit of their own.
class TimeLimit {
 public:
    TimeLimit(Engine& engine, std::chrono::milliseconds limit);
    ~TimeLimit();
    TimeLimit(const TimeLimit&) = delete;
    TimeLimit& operator=(const TimeLimit&) = delete;

    // The error itself, or that the limit passed when that is why.
    Error explain(const Error& e) const;

 private:
    std::chrono::milliseconds limit_;
    mutable std::mutex mutex_;
    std::condition_variable done_;
    bool finished_ = false;
    bool passed_ = false;
    std::thread thread_;
};

}  // namespace skiff::runtime
