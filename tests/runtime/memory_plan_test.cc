#include "runtime/memory_plan.h"

#include <gtest/gtest.h>

namespace skiff::runtime {
namespace {

PlanTensor input(std::size_t bytes) {
    return {true, bytes, true, false};
}
PlanTensor inner(std::size_t bytes) {
    return {true, bytes, false, false};
}
PlanTensor output(std::size_t bytes) {
    return {true, bytes, false, true};
}
PlanTensor constant() {
    return {};
}

bool apart(const std::vector<PlanTensor>& tensors, const MemoryPlan& plan, std::size_t a,
           std::size_t b) {
    return plan.tensors[a] + tensors[a].bytes <= plan.tensors[b] ||
           plan.tensors[b] + tensors[b].bytes <= plan.tensors[a];
}

TEST(MemoryPlan, InputsKeepTheirBytesToTheEnd) {
    const std::vector<PlanTensor> tensors = {input(64), inner(64), inner(64), output(64)};
    const MemoryPlan plan = plan_memory(tensors, {{{0}, {1}}, {{1}, {2}}, {{2}, {3}}});
    for (std::size_t t : {1u, 2u, 3u}) EXPECT_TRUE(apart(tensors, plan, 0, t));
    EXPECT_EQ(plan.tensors[3], plan.tensors[1]);
    EXPECT_EQ(plan.bytes, 192u);
}

TEST(MemoryPlan, OutputsKeepTheirBytesToTheEnd) {
    const std::vector<PlanTensor> tensors = {input(64), output(64), inner(64), output(64)};
    const MemoryPlan plan = plan_memory(tensors, {{{0}, {1}}, {{0}, {2}}, {{2}, {3}}});
    EXPECT_TRUE(apart(tensors, plan, 1, 2));
    EXPECT_TRUE(apart(tensors, plan, 1, 3));
}

TEST(MemoryPlan, ScratchIsApartFromWhatTheNodeReadsAndWrites) {
    const std::vector<PlanTensor> tensors = {input(64), inner(64), output(64)};
    const MemoryPlan plan = plan_memory(tensors, {{{0}, {1}}, {{1}, {2}, 128}});
    EXPECT_EQ(plan.scratch[0], MemoryPlan::nowhere);
    for (std::size_t t : {0u, 1u, 2u})
        EXPECT_TRUE(plan.scratch[1] + 128 <= plan.tensors[t] ||
                    plan.tensors[t] + 64 <= plan.scratch[1]);
}

TEST(MemoryPlan, ConstantsAndUnusedTensorsLieNowhere) {
    const MemoryPlan plan =
        plan_memory({input(64), constant(), output(64), constant()}, {{{0, 1, -1}, {2}}});
    EXPECT_EQ(plan.tensors[1], MemoryPlan::nowhere);
    EXPECT_EQ(plan.tensors[3], MemoryPlan::nowhere);
}

// Two nodes; the second would like its output in place of its input.
struct InPlaceCase {
    const char* name;
    std::vector<PlanTensor> tensors;
    std::vector<PlanNode> nodes;
    std::size_t from, to;
    bool expected;
};

TEST(MemoryPlan, LaysOutputsInPlaceOnlyWhereNobodyIsHarmed) {
    const InPlaceCase cases[] = {
        {"free", {input(64), inner(64), output(64)}, {{{0}, {1}}, {{1}, {2}, 0, 0}}, 1, 2, true},
        {"smaller", {input(64), inner(64), output(32)}, {{{0}, {1}}, {{1}, {2}, 0, 0}}, 1, 2, true},
        {"larger",
         {input(64), inner(64), output(128)},
         {{{0}, {1}}, {{1}, {2}, 0, 0}},
         1,
         2,
         false},
        {"graph input", {input(64), output(64)}, {{{0}, {1}, 0, 0}}, 0, 1, false},
        {"graph output",
         {input(64), output(64), output(64)},
         {{{0}, {1}}, {{1}, {2}, 0, 0}},
         1,
         2,
         false},
        {"read later",
         {input(64), inner(64), inner(64), output(64)},
         {{{0}, {1}}, {{1}, {2}, 0, 0}, {{1, 2}, {3}}},
         1,
         2,
         false},
        {"read twice",
         {input(64), inner(64), output(64)},
         {{{0}, {1}}, {{1, 1}, {2}, 0, 0}},
         1,
         2,
         false},
        {"second input",
         {input(64), inner(64), output(64)},
         {{{0}, {1}}, {{0, 1}, {2}, 0, 1}},
         1,
         2,
         true},
        {"not asked",
         {input(64), inner(64), output(64)},
         {{{0}, {1}}, {{1}, {2}, 0, -1}},
         1,
         2,
         false},
        {"inside a group",
         {input(64), inner(64), output(64)},
         {{{0}, {1}, 0, -1, 0}, {{1}, {2}, 0, 0, 0}},
         1,
         2,
         true},
        {"a group's input",
         {input(64), inner(64), output(64)},
         {{{0}, {1}}, {{1}, {2}, 0, 0, 0}},
         1,
         2,
         false},
    };
    for (const InPlaceCase& c : cases) {
        const MemoryPlan plan = plan_memory(c.tensors, c.nodes);
        EXPECT_EQ(plan.tensors[c.from] == plan.tensors[c.to], c.expected) << c.name;
        if (c.expected) continue;
        EXPECT_TRUE(apart(c.tensors, plan, c.from, c.to)) << c.name;
    }
}

TEST(MemoryPlan, AChainInPlaceKeepsTheSpaceOfItsFirst) {
    const std::vector<PlanTensor> tensors = {input(64), inner(256), inner(64), inner(256),
                                             output(64)};
    const MemoryPlan plan =
        plan_memory(tensors, {{{0}, {1}}, {{1}, {2}, 0, 0}, {{2}, {3}, 0, 0}, {{3}, {4}}});
    EXPECT_EQ(plan.tensors[1], plan.tensors[2]);
    EXPECT_EQ(plan.tensors[1], plan.tensors[3]);
}

TEST(MemoryPlan, AGroupsResultsHaveTheirMemoryFromItsFirstNode) {
    // Nodes 1 to 3 are one group: tensor 1 is read by node 1 only, tensors 3 and 4 are written
    // after that, yet neither may lie where tensor 1 does.
    const std::vector<PlanTensor> tensors = {input(64),  inner(64), inner(64),
                                             output(64), inner(64), output(64)};
    const std::vector<PlanNode> nodes = {
        {{0}, {1}}, {{1}, {2}, 0, -1, 0}, {{2}, {3}, 0, 0, 0}, {{3}, {4}, 0, -1, 0}, {{4}, {5}}};
    const MemoryPlan plan = plan_memory(tensors, nodes);
    for (std::size_t result : {3u, 4u}) EXPECT_TRUE(apart(tensors, plan, 1, result));
    EXPECT_EQ(plan.tensors[2], plan.tensors[3]);  // in place inside the group
}

}  // namespace
}  // namespace skiff::runtime
