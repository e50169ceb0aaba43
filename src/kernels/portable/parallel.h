// ThreadPool::parallel_for for kernels, whose pool may be null.
#pragma once

#include "base/thread_pool.h"

namespace skiff::kernels {

inline void parallel_for(ThreadPool* pool, std::int64_t n, std::int64_t grain,
                         FunctionRef<void(std::int64_t, std::int64_t)> body) {
    if (n <= 0) return;
    if (pool == nullptr)
        body(0, n);
    else
        pool->parallel_for(n, grain, body);
}

}  // namespace skiff::kernels
