// The seam for whatever computes parts of a graph elsewhere: a GPU, an NPU, an external delegate.
//
// The interpreter offers every node; the accelerator claims those it wants; connected claims become
// one partition, which the accelerator compiles. It may refuse at any point: at compile, the CPU
// takes the partition's nodes from the start; at invoke, the CPU computes that invocation's nodes
// and all later ones (the partition is dropped). So an accelerator can make a model faster, never
// unusable. An accelerator that gives wrong numbers is caught by verify, not here.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernels/kernel.h"
#include "model/model.h"

namespace skiff::runtime {

// Part of a graph: nodes in execution order, and the tensors that cross its border.
struct PartitionSpec {
    const model::Model* model;
    const model::Subgraph* subgraph;
    std::vector<int> nodes;            // indices into subgraph->operators
    std::vector<int> inputs, outputs;  // tensor indices; constants are not listed
};

// Compiled for the shapes of the tensors given to compile(); compiled again after a resize.
class Partition {
 public:
    virtual ~Partition() = default;
    // In PartitionSpec's order; memory is the interpreter's arena.
    virtual Status invoke(std::span<const kernels::Tensor* const> inputs,
                          std::span<kernels::Tensor* const> outputs) = 0;
};

// Shared by any number of interpreters, called from their threads.
class Accelerator {
 public:
    virtual ~Accelerator() = default;
    virtual std::string_view name() const = 0;
    virtual bool claims(const model::Subgraph& subgraph, const model::Operator& op) const = 0;
    // `tensors`: all of the subgraph's, with shapes, quantization and constants; data of others is
    // null.
    virtual Result<std::unique_ptr<Partition>> compile(
        const PartitionSpec& spec, std::span<const kernels::Tensor> tensors) = 0;
};

}  // namespace skiff::runtime
