// Requests that wait for a project's next version: no thread each, an entry in a list.
#pragma once

#include <atomic>
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
    // once, when it is above `after` already. `id` is of the caller's choice (see new_id()).
    void add(std::uint64_t id, const std::string& project, std::int64_t after, std::int64_t version,
             Clock::time_point until, Done done);
    std::uint64_t new_id() { return ++last_id_; }
    // Who waits there has gone: answered now. Nothing when it was answered before.
    void leave(std::uint64_t id);
    void published(const std::string& project, std::int64_t version);
    void expire(Clock::time_point now);
    void end();  // answers all; later ones are answered at once
    std::size_t count() const;

 private:
    struct Waiter {
        std::uint64_t id;
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
    std::atomic<std::uint64_t> last_id_{0};
};

}  // namespace skiff::server
