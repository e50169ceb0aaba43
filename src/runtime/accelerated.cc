#include "runtime/accelerated.h"

#include <algorithm>

#include "base/log.h"
#include "runtime/support.h"

namespace skiff::runtime {
namespace {

bool touches_variable(const model::Subgraph& subgraph, const model::Operator& op) {
    return std::any_of(op.inputs.begin(), op.inputs.end(), [&](int t) {
        return t >= 0 && subgraph.tensors[static_cast<std::size_t>(t)].is_variable;
    });
}

void add_once(std::vector<int>& list, int value) {
    if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

void log_refusal(const Accelerator& accelerator, const model::Subgraph& subgraph,
                 const PartitionSpec& spec, const char* when, const std::string& why) {
    log(LogLevel::warning, "accelerator " + std::string(accelerator.name()) + " refused " +
                               std::to_string(spec.nodes.size()) + " nodes from " +
                               describe_node(subgraph, spec.nodes[0]) + " on, " + when + ": " +
                               why + "; the next accelerator or the CPU computes them");
}

}  // namespace

Accelerated::Accelerated(Graph& graph, std::vector<std::shared_ptr<Accelerator>> accelerators)
    : graph_(graph),
      accelerators_(std::move(accelerators)),
      before_(dependencies(graph.subgraph())),
      refused_(accelerators_.size(), std::vector<bool>(graph.nodes.size())) {
    forget();
}

void Accelerated::forget() {
    partitions_.clear();
    groups_.assign(graph_.nodes.size(), -1);
}

void Accelerated::form(int end) {
    forget();
    for (std::size_t a = 0; a < accelerators_.size(); ++a)
        for (const std::vector<int>& nodes : partition(before_, claims(a, end), groups_))
            try_compile(a, nodes);
}

std::vector<int> Accelerated::execution_order() const {
    return runtime::execution_order(before_, groups_);
}

std::vector<bool> Accelerated::claims(std::size_t accelerator, int end) const {
    std::vector<bool> result(graph_.nodes.size());
    for (std::size_t n = 0; n < static_cast<std::size_t>(end); ++n) {
        const Node& node = graph_.nodes[n];
        result[n] = !node.folded && groups_[n] < 0 && !refused_[accelerator][n] &&
                    !touches_variable(graph_.subgraph(), *node.op) &&
                    accelerators_[accelerator]->claims(graph_.subgraph(), *node.op);
    }
    return result;
}

PartitionSpec Accelerated::make_spec(const std::vector<int>& nodes) const {
    PartitionSpec spec{graph_.model.get(), &graph_.subgraph(), nodes, {}, {}};
    std::vector<int> written;
    auto inside = [&](int n) { return std::binary_search(nodes.begin(), nodes.end(), n); };
    auto at = [&](int n) -> const model::Operator& {
        return *graph_.nodes[static_cast<std::size_t>(n)].op;
    };
    for (int n : nodes) {
        for (int t : at(n).inputs)
            if (t >= 0 && !graph_.tensors[static_cast<std::size_t>(t)].constant &&
                std::find(written.begin(), written.end(), t) == written.end())
                add_once(spec.inputs, t);
        written.insert(written.end(), at(n).outputs.begin(), at(n).outputs.end());
    }
    std::vector<bool> read_outside(graph_.tensors.size());
    for (int n = 0; n < static_cast<int>(graph_.nodes.size()); ++n)
        for (int t : at(n).inputs)
            if (t >= 0 && !inside(n)) read_outside[static_cast<std::size_t>(t)] = true;
    for (int t : written)
        if (read_outside[static_cast<std::size_t>(t)] ||
            graph_.is_output[static_cast<std::size_t>(t)])
            spec.outputs.push_back(t);
    return spec;
}

void Accelerated::try_compile(std::size_t accelerator, const std::vector<int>& nodes) {
    PartitionSpec spec = make_spec(nodes);
    if (spec.outputs.empty()) return;  // nobody wants the results
    Accelerator& target = *accelerators_[accelerator];
    auto compiled = target.compile(spec, graph_.tensors);
    if (!compiled.ok() || !*compiled) {
        log_refusal(target, graph_.subgraph(), spec, "at compile",
                    compiled.ok() ? "no reason given" : compiled.error().message);
        return;
    }
    for (int n : nodes) groups_[static_cast<std::size_t>(n)] = static_cast<int>(partitions_.size());
    Live live{std::move(spec), accelerator, std::move(*compiled), {}, {}};
    for (int t : live.spec.inputs)
        live.inputs.push_back(&graph_.tensors[static_cast<std::size_t>(t)]);
    for (int t : live.spec.outputs)
        live.outputs.push_back(&graph_.tensors[static_cast<std::size_t>(t)]);
    partitions_.push_back(std::move(live));
}

bool Accelerated::invoke(int partition) {
    Live& live = partitions_[static_cast<std::size_t>(partition)];
    if (!live.compiled) return false;
    const Status status = live.compiled->invoke(live.inputs, live.outputs);
    if (status.ok()) return true;
    log_refusal(*accelerators_[live.accelerator], graph_.subgraph(), live.spec, "at invoke",
                status.error().message);
    live.compiled.reset();
    for (int n : live.spec.nodes) refused_[live.accelerator][static_cast<std::size_t>(n)] = true;
    return false;
}

std::vector<int> Accelerated::node_counts() const {
    std::vector<int> counts(accelerators_.size());
    for (const Live& live : partitions_)
        if (live.compiled) counts[live.accelerator] += static_cast<int>(live.spec.nodes.size());
    return counts;
}

}  // namespace skiff::runtime
