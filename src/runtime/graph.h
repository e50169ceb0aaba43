// One subgraph ready to be prepared: its tensors as kernels see them, and a kernel per node.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "kernels/kernel.h"
#include "model/model.h"
#include "runtime/interface.h"

namespace skiff::runtime {

struct Node {
    const model::Operator* op = nullptr;
    std::unique_ptr<kernels::Kernel> kernel;
    std::vector<const kernels::Tensor*> inputs;  // null: left out
    std::vector<kernels::Tensor*> outputs;
    bool folded = false;  // computed once for all: its outputs are constants now
    // What the kernel said in prepare, and where its scratch lies.
    std::size_t scratch_bytes = 0;
    int in_place_input = -1;
    std::uint8_t* scratch = nullptr;
};

// Nodes point into `tensors`; moving the graph keeps that.
struct Graph {
    std::shared_ptr<const model::Model> model;
    Interface interface;
    std::vector<kernels::Tensor> tensors;
    std::vector<Node> nodes;
    std::vector<bool> is_input, is_output;  // of the subgraph
    std::vector<int> last_reader;           // per tensor, the last node that reads it; -1: none

    const model::Subgraph& subgraph() const { return *interface.subgraph; }
    bool is_variable(std::size_t tensor) const { return subgraph().tensors[tensor].is_variable; }
    // Its memory is planned, not the model's or kept between invocations.
    bool in_arena(std::size_t tensor) const {
        return !tensors[tensor].constant && !is_variable(tensor);
    }
};

// Errors: those of select_interface, check_supported and lower_options.
Result<Graph> build_graph(std::shared_ptr<const model::Model> model, const std::string& signature);

// One node on the CPU; errors name it.
Status invoke_node(Graph& graph, int node, ThreadPool* pool);

}  // namespace skiff::runtime
