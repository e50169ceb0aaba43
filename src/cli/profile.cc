#include "cli/profile.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace skiff::cli {

void NodeProfile::watch(runtime::Interpreter& interpreter) {
    interpreter.set_profile_sink([this](const runtime::NodeTiming& timing) {
        const auto node = static_cast<std::size_t>(timing.node);
        if (node >= nodes_.size()) nodes_.resize(node + 1);
        nodes_[node].nanoseconds += timing.nanoseconds;
        ++nodes_[node].invocations;
    });
}

Table NodeProfile::table(const model::Subgraph& subgraph) const {
    std::int64_t total = 0;
    for (const Node& node : nodes_) total += node.nanoseconds;
    Table table({"node", "operator", "output", "us", "%"});
    for (std::size_t i = 0; i < nodes_.size() && i < subgraph.operators.size(); ++i) {
        const model::Operator& op = subgraph.operators[i];
        const std::int32_t output = op.outputs.empty() ? -1 : op.outputs[0];
        const double mean_us =
            static_cast<double>(nodes_[i].nanoseconds) / 1e3 /
            static_cast<double>(std::max<std::int64_t>(nodes_[i].invocations, 1));
        table.add(
            {std::to_string(i), std::string(op.name),
             output < 0 ? "" : subgraph.tensors[static_cast<std::size_t>(output)].shape.to_string(),
             compact(mean_us),
             compact(100.0 * static_cast<double>(nodes_[i].nanoseconds) /
                         static_cast<double>(std::max<std::int64_t>(total, 1)),
                     3)});
    }
    return table;
}

OrderedJson NodeProfile::json(const model::Subgraph& subgraph) const {
    OrderedJson out = OrderedJson::array();
    for (std::size_t i = 0; i < nodes_.size() && i < subgraph.operators.size(); ++i)
        out.push_back({{"node", i},
                       {"operator", subgraph.operators[i].name},
                       {"mean_ns",
                        nodes_[i].nanoseconds / std::max<std::int64_t>(nodes_[i].invocations, 1)}});
    return out;
}

const model::Subgraph& subgraph_of(const model::Model& model, std::string_view signature) {
    for (const model::Signature& candidate : model.signatures())
        if (candidate.key == signature)
            return model.subgraphs()[static_cast<std::size_t>(candidate.subgraph)];
    return model.main();
}

}  // namespace skiff::cli
