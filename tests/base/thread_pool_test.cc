#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace skiff {

TEST(ThreadPool, covers_every_index_once) {
    for (int threads : {1, 2, 3, 8}) {
        ThreadPool pool(threads);
        EXPECT_EQ(pool.threads(), threads);
        for (std::int64_t n : {0, 1, 2, 7, 64, 1000}) {
            for (std::int64_t grain : {0, 1, 5, 5000}) {
                std::vector<std::atomic<int>> hits(static_cast<std::size_t>(n));
                pool.parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) ++hits[static_cast<std::size_t>(i)];
                });
                for (const auto& hit : hits) ASSERT_EQ(hit, 1);
            }
        }
    }
}

TEST(ThreadPool, chunks_are_not_below_the_grain) {
    ThreadPool pool(4);
    std::atomic<int> small{0};
    pool.parallel_for(1003, 100, [&](std::int64_t begin, std::int64_t end) {
        if (end - begin < 100 && end != 1003) ++small;
    });
    EXPECT_EQ(small, 0);
}

TEST(ThreadPool, many_short_loops_in_a_row) {
    ThreadPool pool(3);
    std::atomic<std::int64_t> sum{0};
    for (int round = 0; round < 2000; ++round)
        pool.parallel_for(16, 1, [&](std::int64_t begin, std::int64_t end) { sum += end - begin; });
    EXPECT_EQ(sum, 2000 * 16);
}

}  // namespace skiff
