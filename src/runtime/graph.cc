#include "runtime/graph.h"

#include "runtime/lowering.h"
#include "runtime/support.h"

namespace skiff::runtime {
namespace {

kernels::Tensor make_tensor(const model::Tensor& stored) {
    kernels::Tensor tensor;
    tensor.dtype = stored.dtype;
    tensor.shape = stored.shape;
    tensor.quantization = {stored.quantization.scales, stored.quantization.zero_points,
                           stored.quantization.axis};
    tensor.constant = stored.is_constant;
    // Kernels do not write to constants.
    if (tensor.constant) tensor.data = const_cast<std::uint8_t*>(stored.data.data());
    return tensor;
}

Result<Node> make_node(Graph& graph, const model::Operator& op) {
    Node node;
    node.op = &op;
    const kernels::Params params = TRY(lower_options(op));
    node.kernel = kernels::find_kernel(op.builtin_code)->create(params);
    CHECK(node.kernel);
    for (std::int32_t t : op.inputs)
        node.inputs.push_back(t < 0 ? nullptr : &graph.tensors[static_cast<std::size_t>(t)]);
    for (std::int32_t t : op.outputs)
        node.outputs.push_back(&graph.tensors[static_cast<std::size_t>(t)]);
    if (node.outputs.empty()) return error(Code::invalid_argument, "there is no output");
    return node;
}

void mark_uses(Graph& graph) {
    const model::Subgraph& subgraph = graph.subgraph();
    graph.is_input.resize(subgraph.tensors.size());
    graph.is_output.resize(subgraph.tensors.size());
    graph.last_reader.resize(subgraph.tensors.size(), -1);
    for (std::int32_t t : subgraph.inputs) graph.is_input[static_cast<std::size_t>(t)] = true;
    for (std::int32_t t : subgraph.outputs) graph.is_output[static_cast<std::size_t>(t)] = true;
    for (std::size_t n = 0; n < subgraph.operators.size(); ++n)
        for (std::int32_t t : subgraph.operators[n].inputs)
            if (t >= 0) graph.last_reader[static_cast<std::size_t>(t)] = static_cast<int>(n);
}

}  // namespace

Result<Graph> build_graph(std::shared_ptr<const model::Model> model, const std::string& signature) {
    Graph graph;
    graph.interface = TRY(select_interface(*model, signature));
    graph.model = std::move(model);
    const model::Subgraph& subgraph = graph.subgraph();
    TRY(check_supported(subgraph));
    mark_uses(graph);
    for (const model::Tensor& stored : subgraph.tensors)
        graph.tensors.push_back(make_tensor(stored));
    for (std::size_t n = 0; n < subgraph.operators.size(); ++n) {
        Result<Node> node = make_node(graph, subgraph.operators[n]);
        if (!node.ok())
            return with_context(node.take_error(), describe_node(subgraph, static_cast<int>(n)));
        graph.nodes.push_back(std::move(node).value());
    }
    return graph;
}

Status invoke_node(Graph& graph, int index, ThreadPool* pool) {
    Node& node = graph.nodes[static_cast<std::size_t>(index)];
    kernels::InvokeContext context{node.inputs, node.outputs, node.scratch, pool};
    Status status = node.kernel->invoke(context);
    if (!status.ok())
        return with_context(status.take_error(), describe_node(graph.subgraph(), index));
    return {};
}

}  // namespace skiff::runtime
