#include "base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"

namespace skiff {

namespace {

using Body = FunctionRef<void(std::int64_t, std::int64_t)>;

// One loop in progress. Lives on the caller's stack; workers reach it only while they are counted
// in `active`.
struct Loop {
    const Body* body;
    std::int64_t n;
    std::int64_t chunk;
    std::atomic<std::int64_t> next{0};

    void run() {
        for (;;) {
            const std::int64_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
            if (begin >= n) return;
            (*body)(begin, std::min(begin + chunk, n));
        }
    }
};

}  // namespace

struct ThreadPool::State {
    std::mutex mutex;
    std::condition_variable wake, idle;
    Loop* loop = nullptr;      // open for workers to join
    std::uint64_t opened = 0;  // counts loops, so that a worker joins each once
    int active = 0;            // workers inside the loop
    bool stop = false;
    std::vector<std::thread> workers;

    void work() {
        std::uint64_t seen = 0;
        std::unique_lock lock(mutex);
        for (;;) {
            wake.wait(lock, [&] { return stop || (loop != nullptr && opened != seen); });
            if (stop) return;
            seen = opened;
            Loop* joined = loop;
            ++active;
            lock.unlock();
            joined->run();
            lock.lock();
            if (--active == 0) idle.notify_one();
        }
    }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
    CHECK(threads >= 1);
    for (int i = 1; i < threads; ++i)
        state_->workers.emplace_back([s = state_.get()] { s->work(); });
}

ThreadPool::~ThreadPool() {
    {
        std::lock_guard lock(state_->mutex);
        state_->stop = true;
    }
    state_->wake.notify_all();
    for (std::thread& worker : state_->workers) worker.join();
}

int ThreadPool::threads() const {
    return static_cast<int>(state_->workers.size()) + 1;
}

void ThreadPool::parallel_for(std::int64_t n, std::int64_t grain, Body body) {
    if (n <= 0) return;
    const std::int64_t parts =
        4LL * threads();  // several chunks each, so that a late worker still helps
    const std::int64_t chunk = std::max({grain, std::int64_t{1}, (n + parts - 1) / parts});
    if (state_->workers.empty() || n <= chunk) {
        body(0, n);
        return;
    }
    Loop loop{.body = &body, .n = n, .chunk = chunk};
    {
        std::lock_guard lock(state_->mutex);
        state_->loop = &loop;
        ++state_->opened;
    }
    state_->wake.notify_all();
    loop.run();
    // No chunk is left. Only workers that did start are waited for; the loop is closed to the
    // others.
    std::unique_lock lock(state_->mutex);
    state_->loop = nullptr;
    state_->idle.wait(lock, [&] { return state_->active == 0; });
}

}  // namespace skiff
