// The parts of a graph that accelerators compute.
#pragma once

#include <memory>
#include <vector>

#include "runtime/accelerator.h"
#include "runtime/graph.h"
#include "runtime/partitioning.h"

namespace skiff::runtime {

class Accelerated {
 public:
    // The graph must outlive this object and not move.
    Accelerated(Graph& graph, std::vector<std::shared_ptr<Accelerator>> accelerators);

    // Offers the nodes before `end` to each accelerator in turn, and compiles what it claims for
    // the shapes of now. What it refuses goes to the next, in the end to the CPU. Nodes that touch
    // a variable tensor are not offered: only the CPU's state could be carried on after a refusal.
    // Nor are nodes whose accelerator refused them at invoke.
    void form(int end);
    void forget();

    const std::vector<int>& groups() const { return groups_; }  // per node: its partition, or -1
    std::vector<int> execution_order() const;
    const std::vector<int>& nodes(int partition) const {
        return partitions_[static_cast<std::size_t>(partition)].spec.nodes;
    }
    // True: computed. False: refused, now or before; the CPU has to compute its nodes, whose inputs
    // are intact. Does not allocate, but at the refusal.
    bool invoke(int partition);
    std::vector<int> node_counts() const;  // per accelerator

 private:
    struct Live {
        PartitionSpec spec;
        std::size_t accelerator;
        std::unique_ptr<Partition> compiled;  // null: dropped
        std::vector<const kernels::Tensor*> inputs;
        std::vector<kernels::Tensor*> outputs;
    };
    std::vector<bool> claims(std::size_t accelerator, int end) const;
    PartitionSpec make_spec(const std::vector<int>& nodes) const;
    void try_compile(std::size_t accelerator, const std::vector<int>& nodes);

    Graph& graph_;
    const std::vector<std::shared_ptr<Accelerator>> accelerators_;
    const Dependencies before_;
    std::vector<std::vector<bool>> refused_;  // per accelerator and node: refused at invoke
    std::vector<int> groups_;
    std::vector<Live> partitions_;
};

}  // namespace skiff::runtime
