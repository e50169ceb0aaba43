// Requests that wait for a project's next version: no thread each, an entry in a list.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>

namespace skiff::server {

// Any thread. Callbacks are called outside the lock, each once.
class Waiters {
 public:
    using Clock = std::chrono::steady_clock;
    using Done = std::function<void(std::int64_t version)>;

    // `version` is what the project has now: the answer when nothing changes until `until`. Also at
    // once, when it is above `after` already.
    void add(const std::string& project, std::int64_t after, std::int64_t version,
             Clock::time_point until, Done done);
    void published(const std::string& project, std::int64_t version);
    void expire(Clock::time_point now);
    void end();  // answers all; later ones are answered at once
    std::size_t count() const;

 private:
    struct Waiter {
        std::string project;
        std::int64_t after, version;
        Clock::time_point until;
        Done done;
    };
    template <typename Predicate>
    void answer(const Predicate& due);

    mutable std::mutex mutex_;
    std::list<Waiter> waiters_;
    bool ended_ = false;
};

}  // namespace skiff::server
