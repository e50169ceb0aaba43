// Preparing kernels, and computing once what depends on constants alone.
#include <algorithm>

#include "runtime/support.h"
#include "runtime/tensor_memory.h"

namespace skiff::runtime {
namespace {

// True: done. False: the kernel waits for values.
Result<bool> prepare_node(Node& node) {
    kernels::PrepareContext context;
    context.inputs = node.inputs;
    context.outputs = node.outputs;
    TRY(node.kernel->prepare(context));
    if (context.shape_needs_data) return false;
    node.scratch_bytes = context.scratch_bytes;
    node.in_place_input = context.in_place_input;
    for (const kernels::Tensor* output : node.outputs)
        TRY(tensor_bytes(output->dtype, output->shape));
    return true;
}

}  // namespace

Result<int> prepare_nodes(Graph& graph, int begin) {
    const int count = static_cast<int>(graph.nodes.size());
    for (int n = begin; n < count; ++n) {
        Node& node = graph.nodes[static_cast<std::size_t>(n)];
        if (node.folded) continue;
        Result<bool> done = prepare_node(node);
        if (!done.ok()) return with_context(done.take_error(), describe_node(graph.subgraph(), n));
        if (!*done) return n;
    }
    return count;
}

bool TensorMemory::fold(int index) const {
    const Node& node = graph_.nodes[static_cast<std::size_t>(index)];
    auto is_constant = [](const kernels::Tensor* t) { return !t || t->constant; };
    return std::any_of(node.inputs.begin(), node.inputs.end(), [](auto* t) { return t; }) &&
           std::all_of(node.inputs.begin(), node.inputs.end(), is_constant);
}

Status TensorMemory::fold_constants(ThreadPool* pool) {
    for (int n = 0; n < static_cast<int>(graph_.nodes.size()); ++n) {
        Node& node = graph_.nodes[static_cast<std::size_t>(n)];
        if (node.folded || !fold(n)) continue;
        Result<bool> prepared = prepare_node(node);
        if (!prepared.ok())
            return with_context(prepared.take_error(), describe_node(graph_.subgraph(), n));
        if (!*prepared)
            return error(Code::internal,
                         describe_node(graph_.subgraph(), n) + ": asks for values that it has");
        TRY(compute_folded(n, pool));
    }
    return {};
}

Status TensorMemory::compute_folded(int index, ThreadPool* pool) {
    Node& node = graph_.nodes[static_cast<std::size_t>(index)];
    std::vector<Buffer> buffers;
    for (kernels::Tensor* output : node.outputs) {
        const std::size_t bytes = TRY(tensor_bytes(output->dtype, output->shape));
        buffers.push_back(TRY(Buffer::allocate(std::max<std::size_t>(bytes, 1))));
        output->data = buffers.back().data();
    }
    const Buffer scratch = TRY(Buffer::allocate(node.scratch_bytes));
    node.scratch = scratch.data();
    Status status = invoke_node(graph_, index, pool);
    node.scratch = nullptr;
    for (std::size_t k = 0; k < node.outputs.size(); ++k) {
        if (!status.ok()) node.outputs[k]->data = nullptr;
        if (!status.ok()) continue;
        node.outputs[k]->constant = true;
        persistent_[node.op->outputs[k]] = std::move(buffers[k]);
    }
    node.folded = status.ok();
    if (node.folded) node.kernel.reset();
    return status;
}

}  // namespace skiff::runtime
