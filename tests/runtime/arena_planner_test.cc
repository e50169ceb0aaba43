#include "runtime/arena_planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "runtime/buffer.h"

namespace skiff::runtime {
namespace {

std::size_t padded(std::size_t bytes) {
    return round_up_to_alignment(std::max<std::size_t>(bytes, 1));
}

void expect_valid(const std::vector<Lifetime>& items, const Placement& placement) {
    ASSERT_EQ(placement.offsets.size(), items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        EXPECT_EQ(placement.offsets[i] % memory_alignment, 0u);
        EXPECT_LE(placement.offsets[i] + padded(items[i].bytes), placement.bytes);
        for (std::size_t k = 0; k < i; ++k) {
            const bool both_live =
                items[i].first <= items[k].last && items[k].first <= items[i].last;
            const bool apart =
                placement.offsets[i] + padded(items[i].bytes) <= placement.offsets[k] ||
                placement.offsets[k] + padded(items[k].bytes) <= placement.offsets[i];
            EXPECT_TRUE(!both_live || apart) << "items " << i << " and " << k;
        }
    }
}

std::size_t live_bytes_by_hand(const std::vector<Lifetime>& items) {
    std::size_t largest = 0;
    for (const Lifetime& moment : items) {
        std::size_t sum = 0;
        for (const Lifetime& item : items)
            if (item.first <= moment.first && moment.first <= item.last) sum += padded(item.bytes);
        largest = std::max(largest, sum);
    }
    return largest;
}

TEST(ArenaPlanner, Nothing) {
    EXPECT_EQ(place({}).bytes, 0u);
    EXPECT_EQ(largest_live_bytes({}), 0u);
}

TEST(ArenaPlanner, NeighboursDoNotShareAndStrangersDo) {
    // A chain: each tensor is written by one node and read by the next.
    const std::vector<Lifetime> chain = {{100, 0, 1}, {200, 1, 2}, {100, 2, 3}, {10, 3, 4}};
    const Placement placement = place(chain);
    expect_valid(chain, placement);
    EXPECT_EQ(placement.bytes, 384u);  // 128 + 256
}

TEST(ArenaPlanner, ItemsOfNoBytesHaveAPlace) {
    const std::vector<Lifetime> items = {{0, 0, 3}, {0, 1, 2}, {64, 1, 1}};
    expect_valid(items, place(items));
    EXPECT_EQ(largest_live_bytes(items), 192u);
}

// Lifetimes like those of networks: a chain with some long connections, scratch, and a few that
// live throughout.
std::vector<Lifetime> network_like(std::mt19937& random) {
    const int nodes = 1 + static_cast<int>(random() % 150);
    std::vector<Lifetime> items;
    for (int n = 0; n < nodes; ++n) {
        const std::size_t bytes = (std::size_t{1} << (random() % 16)) * (1 + random() % 7);
        int last = n + 1;
        if (random() % 5 == 0) last = n + 1 + static_cast<int>(random() % 12);
        if (random() % 25 == 0) last = nodes;
        items.push_back({bytes, n, std::min(last, nodes)});
        if (random() % 3 == 0) items.push_back({random() % 5000, n, n});
    }
    return items;
}

TEST(ArenaPlanner, StaysWithinATenthOfTheBoundOnNetworkLikeLifetimes) {
    std::mt19937 random(7);
    double worst = 1;
    for (int round = 0; round < 400; ++round) {
        const std::vector<Lifetime> items = network_like(random);
        const Placement placement = place(items);
        expect_valid(items, placement);
        const std::size_t bound = live_bytes_by_hand(items);
        ASSERT_EQ(largest_live_bytes(items), bound);
        worst = std::max(worst, static_cast<double>(placement.bytes) / static_cast<double>(bound));
    }
    RecordProperty("worst_ratio", std::to_string(worst));
    EXPECT_LE(worst, 1.1);
}

TEST(ArenaPlanner, StaysWithinATenthOfTheBoundOnRandomLifetimes) {
    std::mt19937 random(11);
    double worst = 1;
    for (int round = 0; round < 300; ++round) {
        std::vector<Lifetime> items(2 + random() % 80);
        for (Lifetime& item : items) {
            const int a = static_cast<int>(random() % 60), b = static_cast<int>(random() % 60);
            item = {random() % 100'000, std::min(a, b), std::max(a, b)};
        }
        const Placement placement = place(items);
        expect_valid(items, placement);
        worst = std::max(worst, static_cast<double>(placement.bytes) /
                                    static_cast<double>(live_bytes_by_hand(items)));
    }
    RecordProperty("worst_ratio", std::to_string(worst));
    EXPECT_LE(worst, 1.1);
}

TEST(ArenaPlanner, IsDeterministic) {
    std::mt19937 random(3);
    const std::vector<Lifetime> items = network_like(random);
    EXPECT_EQ(place(items).offsets, place(items).offsets);
}

}  // namespace
}  // namespace skiff::runtime
