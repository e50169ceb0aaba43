#include "server/waiters.h"

namespace skiff::server {

template <typename Predicate>
void Waiters::answer(const Predicate& due) {
    std::list<Waiter> ready;
    {
        const std::lock_guard lock(mutex_);
        for (auto at = waiters_.begin(); at != waiters_.end();) {
            const auto next = std::next(at);
            if (due(*at)) ready.splice(ready.end(), waiters_, at);
            at = next;
        }
    }
    for (const Waiter& waiter : ready) waiter.done(waiter.version);
}

void Waiters::add(std::uint64_t id, const std::string& project, std::int64_t after,
                  std::int64_t version, Clock::time_point until, Done done) {
    {
        const std::lock_guard lock(mutex_);
        if (version <= after && !ended_) {
            waiters_.push_back({id, project, after, version, until, std::move(done)});
            return;
        }
    }
    done(version);
}

void Waiters::published(const std::string& project, std::int64_t version) {
    answer([&](Waiter& waiter) {
        if (waiter.project != project) return false;
        waiter.version = version;
        return version > waiter.after;
    });
}

void Waiters::leave(std::uint64_t id) {
    answer([&](const Waiter& waiter) { return waiter.id == id; });
}

void Waiters::expire(Clock::time_point now) {
    answer([&](const Waiter& waiter) { return now >= waiter.until; });
}

void Waiters::end() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    answer([](const Waiter&) { return true; });
}

std::size_t Waiters::count() const {
    const std::lock_guard lock(mutex_);
    return waiters_.size();
}

}  // namespace skiff::server
