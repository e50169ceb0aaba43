// All memory that an interpreter's tensors lie in: what stays between invocations, and one arena
// per stretch of nodes.
//
// A graph whose shapes are all known has one stretch. Where shapes depend on values, a new stretch
// begins at the node that needs the values, and is planned when they are there.
#pragma once

#include <map>
#include <vector>

#include "base/result.h"
#include "runtime/buffer.h"
#include "runtime/graph.h"
#include "runtime/interpreter.h"
#include "runtime/memory_plan.h"

namespace skiff::runtime {

struct Stretch {
    int begin = 0, end = 0;  // nodes with begin <= index < end
    std::vector<int> order;  // in which they run; without folded ones
    std::vector<int>
        groups;  // per node of the graph: number of its partition, or -1; empty: none has one
};

class TensorMemory {
 public:
    // The graph must outlive this object and not move.
    TensorMemory(Graph& graph, bool preserve_all);

    // Computes nodes whose inputs are all constant; their outputs are constants from then on. Does
    // nothing the next time.
    Status fold_constants(ThreadPool* pool);
    // Memory for variable tensors; where it is new, the contents are reset.
    Status allocate_variables();
    void reset_variables();

    // Gives all arenas back. No tensor but the constants has data until the memory is there again:
    // kernels and accelerators are not to see in prepare what may differ in invoke.
    void forget_stretches();
    // The data of what nodes from `begin` on compute is not there (kernels ask for it in prepare).
    void forget_results(int begin);
    // Plans the stretch, takes memory for it and points its tensors there. `index`: 0 for the
    // first, which holds the graph's inputs too. Memory of an earlier plan under the same index is
    // used again if it suffices.
    Status plan_stretch(std::size_t index, const Stretch& stretch);
    void clear_inputs();

    MemoryUse use() const;

 private:
    struct Arena {
        Buffer buffer;
        MemoryPlan plan;
    };
    bool fold(int node) const;
    Status compute_folded(int node, ThreadPool* pool);
    Result<std::vector<PlanTensor>> plan_tensors(std::size_t index, const Stretch& stretch) const;
    std::vector<PlanNode> plan_nodes(const Stretch& stretch) const;

    Graph& graph_;
    const bool preserve_all_;
    std::map<int, Buffer> persistent_;  // by tensor: variables and folded constants
    std::vector<Arena> arenas_;
};

// Lets the kernels of nodes begin, begin + 1, ... set their output shapes. Returns the first node
// that needs values that are not there yet, or the number of nodes. Errors name the node.
Result<int> prepare_nodes(Graph& graph, int begin);

}  // namespace skiff::runtime
