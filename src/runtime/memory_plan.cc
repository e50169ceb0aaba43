#include "runtime/memory_plan.h"

#include <algorithm>
#include <climits>

#include "base/result.h"
#include "runtime/arena_planner.h"

namespace skiff::runtime {
namespace {

constexpr int no_item = -1;

struct Use {
    int first = INT_MAX, last = -1;  // positions of nodes
    int group = -1;                  // of the node that writes it
};

class Planner {
 public:
    Planner(const std::vector<PlanTensor>& tensors, const std::vector<PlanNode>& nodes)
        : tensors_(tensors),
          nodes_(nodes),
          uses_(tensors.size()),
          items_of_(tensors.size(), no_item) {}

    MemoryPlan plan() {
        find_uses();
        widen_group_outputs();
        for (std::size_t t = 0; t < tensors_.size(); ++t)
            if (tensors_[t].from_start) give_own_item(static_cast<int>(t));
        std::vector<int> scratch_items(nodes_.size(), no_item);
        for (int n = 0; n < node_count(); ++n) {
            give_items_to_outputs(n);
            const std::size_t bytes = nodes_[static_cast<std::size_t>(n)].scratch_bytes;
            if (bytes == 0) continue;
            scratch_items[static_cast<std::size_t>(n)] = static_cast<int>(items_.size());
            items_.push_back({bytes, n, n});
        }
        const Placement placement = place(items_);
        auto offsets = [&](const std::vector<int>& items) {
            std::vector<std::size_t> result;
            for (int item : items)
                result.push_back(item == no_item
                                     ? MemoryPlan::nowhere
                                     : placement.offsets[static_cast<std::size_t>(item)]);
            return result;
        };
        return {offsets(items_of_), offsets(scratch_items), placement.bytes,
                largest_live_bytes(items_)};
    }

 private:
    int node_count() const { return static_cast<int>(nodes_.size()); }
    bool planned(int t) const { return t >= 0 && tensors_[static_cast<std::size_t>(t)].planned; }
    Use& use(int t) { return uses_[static_cast<std::size_t>(t)]; }

    void find_uses() {
        for (int n = 0; n < node_count(); ++n) {
            const PlanNode& node = nodes_[static_cast<std::size_t>(n)];
            for (const auto* list : {&node.inputs, &node.outputs})
                for (int t : *list)
                    if (planned(t)) {
                        use(t).first = std::min(use(t).first, n);
                        use(t).last = std::max(use(t).last, n);
                    }
            for (int t : node.outputs)
                if (planned(t)) use(t).group = node.group;
        }
        for (std::size_t t = 0; t < tensors_.size(); ++t) {
            if (tensors_[t].from_start) uses_[t].first = -1;
            // An input keeps its bytes for the whole invocation: the caller may invoke again
            // without writing it again.
            if (tensors_[t].from_start || tensors_[t].to_end) uses_[t].last = node_count();
        }
    }

    void widen_group_outputs() {
        for (int begin = 0; begin < node_count();) {
            const int group = nodes_[static_cast<std::size_t>(begin)].group;
            int end = begin + 1;
            while (group >= 0 && end < node_count() &&
                   nodes_[static_cast<std::size_t>(end)].group == group)
                ++end;
            for (int n = begin; group >= 0 && n < end; ++n)
                for (int t : nodes_[static_cast<std::size_t>(n)].outputs)
                    if (planned(t) && use(t).last >= end) use(t).first = begin;
            begin = end;
        }
    }

    void give_own_item(int t) {
        items_of_[static_cast<std::size_t>(t)] = static_cast<int>(items_.size());
        items_.push_back({tensors_[static_cast<std::size_t>(t)].bytes, use(t).first, use(t).last});
    }

    void give_items_to_outputs(int n) {
        const PlanNode& node = nodes_[static_cast<std::size_t>(n)];
        for (std::size_t k = 0; k < node.outputs.size(); ++k) {
            const int t = node.outputs[k];
            if (!planned(t) || items_of_[static_cast<std::size_t>(t)] != no_item) continue;
            const int item = k == 0 ? item_to_reuse(n) : no_item;
            if (item == no_item) {
                give_own_item(t);
                continue;
            }
            items_of_[static_cast<std::size_t>(t)] = item;
            Lifetime& lifetime = items_[static_cast<std::size_t>(item)];
            lifetime.first = std::min(lifetime.first, use(t).first);
            lifetime.last = std::max(lifetime.last, use(t).last);
        }
    }

    // The item in which output 0 of node n may lie, since its input is there and done with.
    int item_to_reuse(int n) {
        const PlanNode& node = nodes_[static_cast<std::size_t>(n)];
        if (node.in_place_input < 0) return no_item;
        CHECK(static_cast<std::size_t>(node.in_place_input) < node.inputs.size());
        const int input = node.inputs[static_cast<std::size_t>(node.in_place_input)];
        if (!planned(input) || use(input).last != n) return no_item;
        if (std::count(node.inputs.begin(), node.inputs.end(), input) != 1) return no_item;
        if (node.group >= 0 && use(input).group != node.group) return no_item;
        const int item = items_of_[static_cast<std::size_t>(input)];
        const int output = node.outputs[0];
        if (item == no_item || tensors_[static_cast<std::size_t>(output)].bytes >
                                   items_[static_cast<std::size_t>(item)].bytes)
            return no_item;
        return item;
    }

    const std::vector<PlanTensor>& tensors_;
    const std::vector<PlanNode>& nodes_;
    std::vector<Use> uses_;
    std::vector<int> items_of_;  // per tensor
    std::vector<Lifetime> items_;
};

}  // namespace

MemoryPlan plan_memory(const std::vector<PlanTensor>& tensors, const std::vector<PlanNode>& nodes) {
    return Planner(tensors, nodes).plan();
}

}  // namespace skiff::runtime
