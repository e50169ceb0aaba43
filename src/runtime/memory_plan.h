// From a stretch of a graph to offsets in its arena: who is alive when, what may lie in place of
// what.
#pragma once

#include <cstddef>
#include <vector>

namespace skiff::runtime {

struct PlanTensor {
    bool planned = false;  // lies in this arena; false: constant, variable, of another stretch
    std::size_t bytes = 0;
    bool from_start = false;  // has contents before the first node (a graph input)
    bool to_end = false;  // keeps them after the last (a graph output, or read in a later stretch)
};

struct PlanNode {
    std::vector<int> inputs, outputs;  // tensor indices; -1 is ignored
    std::size_t scratch_bytes = 0;
    int in_place_input =
        -1;  // position in inputs: output 0 may lie there, if the plan finds nobody harmed
    // Nodes that an accelerator computes as one have the same number, and follow each other; -1:
    // the node is alone. What others read of a group's results has its memory from the group's
    // first node on, apart from what the group reads: the accelerator may read and write in any
    // order, and refuse after that.
    int group = -1;
};

struct MemoryPlan {
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
    std::vector<std::size_t> tensors;  // offset per tensor, or nowhere
    std::vector<std::size_t> scratch;  // offset per node, or nowhere
    std::size_t bytes = 0;
    std::size_t largest_live_bytes = 0;  // no plan could be smaller
};

// `nodes` in execution order.
MemoryPlan plan_memory(const std::vector<PlanTensor>& tensors, const std::vector<PlanNode>& nodes);

}  // namespace skiff::runtime
