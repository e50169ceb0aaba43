// A pool for data-parallel loops whose caller never waits for a worker that has not started.
#pragma once

#include <cstdint>
#include <memory>

#include "base/function_ref.h"

namespace skiff {

// One pool belongs to one interpreter; parallel_for is called from one thread at a time. With one
// thread (or a null pool) everything runs in the caller, in order.
class ThreadPool {
 public:
    explicit ThreadPool(int threads);  // threads >= 1, the caller's included
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    int threads() const;

    // Calls body(begin, end) over disjoint chunks that cover [0, n), each of at least `grain` (but
    // the last). Chunks are handed out one by one, so a busy machine costs at most one chunk's
    // delay. Does not allocate.
    void parallel_for(std::int64_t n, std::int64_t grain,
                      FunctionRef<void(std::int64_t, std::int64_t)> body);

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace skiff
