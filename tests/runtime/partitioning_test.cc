#include "runtime/partitioning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace skiff::runtime {
namespace {

using Sets = std::vector<std::vector<int>>;

std::vector<bool> claim(std::size_t count, std::initializer_list<int> nodes) {
    std::vector<bool> claimed(count);
    for (int n : nodes) claimed[static_cast<std::size_t>(n)] = true;
    return claimed;
}

Sets partition_alone(const Dependencies& before, const std::vector<bool>& claimed) {
    return partition(before, claimed, std::vector<int>(before.size(), -1));
}

const Dependencies chain = {{}, {0}, {1}, {2}, {3}};
const Dependencies diamond = {{}, {0}, {0}, {1, 2}};

TEST(Partition, NeighboursInAChainAreOne) {
    EXPECT_EQ(partition_alone(chain, claim(5, {1, 2, 4})), (Sets{{1, 2}, {4}}));
    EXPECT_EQ(partition_alone(chain, claim(5, {})), Sets{});
    EXPECT_EQ(partition_alone(chain, claim(5, {0, 1, 2, 3, 4})), (Sets{{0, 1, 2, 3, 4}}));
}

TEST(Partition, APathThroughAnUnclaimedNodeSplits) {
    // 0 feeds 3 through 1 and through 2; with 2 on the CPU, 3 must wait for it.
    EXPECT_EQ(partition_alone(diamond, claim(4, {0, 1, 3})), (Sets{{0, 1}, {3}}));
    EXPECT_EQ(partition_alone(diamond, claim(4, {0, 1, 2, 3})), (Sets{{0, 1, 2, 3}}));
}

TEST(Partition, UnconnectedClaimsAreSeveral) {
    EXPECT_EQ(partition_alone({{}, {}, {0}, {1}}, claim(4, {0, 1, 2, 3})), (Sets{{0, 2}, {1, 3}}));
}

TEST(Partition, UnclaimedNodesThatCanRunFirstDoNotSplit) {
    EXPECT_EQ(partition_alone({{}, {}, {0, 1}}, claim(3, {0, 2})), (Sets{{0, 2}}));
}

TEST(ExecutionOrder, IsTheFilesWithoutGroups) {
    EXPECT_EQ(execution_order(diamond, {-1, -1, -1, -1}), (std::vector<int>{0, 1, 2, 3}));
}

TEST(ExecutionOrder, KeepsGroupsTogether) {
    // 2 is first asked for by 3, but 0 and 2 are one.
    EXPECT_EQ(execution_order({{}, {}, {0}, {1, 2}}, {5, -1, 5, -1}),
              (std::vector<int>{0, 2, 1, 3}));
}

void expect_runs_as_one(const Dependencies& before, const std::vector<int>& groups) {
    const std::vector<int> order = execution_order(before, groups);  // checks that there is one
    std::vector<int> position(order.size());
    for (std::size_t k = 0; k < order.size(); ++k)
        position[static_cast<std::size_t>(order[k])] = static_cast<int>(k);
    std::vector<bool> closed(order.size());
    int open = -1;
    for (std::size_t k = 0; k < order.size(); ++k) {
        const auto n = static_cast<std::size_t>(order[k]);
        for (int b : before[n]) EXPECT_LT(position[static_cast<std::size_t>(b)], position[n]);
        if (groups[n] == open) continue;
        if (open >= 0) closed[static_cast<std::size_t>(open)] = true;
        open = groups[n];
        if (open < 0) continue;
        EXPECT_FALSE(closed[static_cast<std::size_t>(open)]);
    }
}

TEST(Partition, RandomGraphsAndClaimsOfSeveralAcceleratorsCanRun) {
    std::mt19937 random(5);
    for (int round = 0; round < 500; ++round) {
        const std::size_t count = 1 + random() % 40;
        Dependencies before(count);
        for (std::size_t n = 1; n < count; ++n)
            for (std::size_t k = random() % 3; k > 0; --k)
                before[n].push_back(
                    static_cast<int>(n - 1 - random() % std::min<std::size_t>(n, 8)));
        std::vector<int> groups(count, -1);
        int next_group = 0;
        for (int accelerator = 0; accelerator < 3; ++accelerator) {
            std::vector<bool> claimed(count);
            for (std::size_t n = 0; n < count; ++n) claimed[n] = groups[n] < 0 && random() % 2 == 0;
            std::size_t found = 0;
            for (const std::vector<int>& set : partition(before, claimed, groups)) {
                EXPECT_TRUE(std::is_sorted(set.begin(), set.end()));
                found += set.size();
                const bool refused = random() % 4 == 0;
                for (int n : set) {
                    EXPECT_TRUE(claimed[static_cast<std::size_t>(n)]);
                    if (!refused) groups[static_cast<std::size_t>(n)] = next_group;
                }
                next_group += !refused;
            }
            EXPECT_EQ(found,
                      static_cast<std::size_t>(std::count(claimed.begin(), claimed.end(), true)));
        }
        expect_runs_as_one(before, groups);
    }
}

TEST(Dependencies, NodesThatTouchAVariableKeepTheirOrder) {
    model::Subgraph subgraph;
    subgraph.tensors.resize(5);
    subgraph.tensors[1].is_variable = true;
    subgraph.operators.resize(3);
    subgraph.operators[0].inputs = {0, 1};
    subgraph.operators[0].outputs = {2};
    subgraph.operators[1].inputs = {2};
    subgraph.operators[1].outputs = {3};
    subgraph.operators[2].inputs = {-1, 1};
    subgraph.operators[2].outputs = {4};
    EXPECT_EQ(dependencies(subgraph), (Dependencies{{}, {0}, {0}}));
}

}  // namespace
}  // namespace skiff::runtime
