#include "runtime/partitioning.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <set>

#include "base/result.h"

namespace skiff::runtime {
namespace {

using ReadyQueue = std::priority_queue<int, std::vector<int>, std::greater<>>;

// The graph in which every group is one unit, known by its smallest node.
struct Units {
    std::vector<int> of_node;
    std::vector<std::vector<int>> nodes,
        after;                     // per unit (empty where a node is not a unit's smallest)
    std::vector<int> waiting_for;  // how many units must run before

    Units(const Dependencies& before, const std::vector<int>& groups)
        : of_node(before.size()),
          nodes(before.size()),
          after(before.size()),
          waiting_for(before.size()) {
        std::map<int, int> unit_of_group;
        for (int n = 0; n < static_cast<int>(before.size()); ++n) {
            const int group = groups[static_cast<std::size_t>(n)];
            const int unit = group < 0 ? n : unit_of_group.emplace(group, n).first->second;
            of_node[static_cast<std::size_t>(n)] = unit;
            nodes[static_cast<std::size_t>(unit)].push_back(n);
        }
        std::set<std::pair<int, int>> edges;
        for (std::size_t n = 0; n < before.size(); ++n)
            for (int b : before[n])
                if (of_node[static_cast<std::size_t>(b)] != of_node[n])
                    edges.emplace(of_node[static_cast<std::size_t>(b)], of_node[n]);
        for (auto [from, to] : edges) {
            after[static_cast<std::size_t>(from)].push_back(to);
            ++waiting_for[static_cast<std::size_t>(to)];
        }
    }

    bool is_unit(std::size_t n) const { return !nodes[n].empty(); }

    // Calls ready(unit) for every unit that waited for this one alone.
    template <typename Ready>
    void finish(int unit, Ready ready) {
        for (int next : after[static_cast<std::size_t>(unit)])
            if (--waiting_for[static_cast<std::size_t>(next)] == 0) ready(next);
    }
};

int take(ReadyQueue& queue) {
    const int unit = queue.top();
    queue.pop();
    return unit;
}

// Runs the units in rounds: all that can run without a claimed node, then all claimed nodes that
// can run, and so on. Claimed nodes of one round depend on other units only of earlier rounds, so
// any set of them can run as one. Gives each claimed node its round, all others -1.
std::vector<int> rounds_of_claimed(Units units, const std::vector<bool>& claimed) {
    ReadyQueue ready[2];
    auto add = [&](int unit) { ready[claimed[static_cast<std::size_t>(unit)]].push(unit); };
    for (std::size_t n = 0; n < claimed.size(); ++n)
        if (units.is_unit(n) && units.waiting_for[n] == 0) add(static_cast<int>(n));
    std::vector<int> rounds(claimed.size(), -1);
    for (int round = 0; !ready[0].empty() || !ready[1].empty(); ++round) {
        while (!ready[0].empty()) units.finish(take(ready[0]), add);
        while (!ready[1].empty()) {
            const int unit = take(ready[1]);
            rounds[static_cast<std::size_t>(unit)] = round;
            units.finish(unit, add);
        }
    }
    return rounds;
}

int find_root(std::vector<int>& parents, int n) {
    while (parents[static_cast<std::size_t>(n)] != n) n = parents[static_cast<std::size_t>(n)];
    return n;
}

}  // namespace

Dependencies dependencies(const model::Subgraph& subgraph) {
    Dependencies before(subgraph.operators.size());
    std::vector<int> writers(subgraph.tensors.size(), -1);
    int last_with_variable = -1;
    for (std::size_t n = 0; n < before.size(); ++n) {
        const model::Operator& op = subgraph.operators[n];
        bool variable = false;
        auto is_variable = [&](int t) {
            return t >= 0 && subgraph.tensors[static_cast<std::size_t>(t)].is_variable;
        };
        for (int t : op.inputs) {
            variable |= is_variable(t);
            if (t >= 0 && writers[static_cast<std::size_t>(t)] >= 0)
                before[n].push_back(writers[static_cast<std::size_t>(t)]);
        }
        for (int t : op.outputs) {
            variable |= is_variable(t);
            if (t >= 0) writers[static_cast<std::size_t>(t)] = static_cast<int>(n);
        }
        if (!variable) continue;
        if (last_with_variable >= 0) before[n].push_back(last_with_variable);
        last_with_variable = static_cast<int>(n);
    }
    return before;
}

std::vector<std::vector<int>> partition(const Dependencies& before,
                                        const std::vector<bool>& claimed,
                                        const std::vector<int>& groups) {
    const std::vector<int> rounds = rounds_of_claimed(Units(before, groups), claimed);
    std::vector<int> parents(before.size());
    for (std::size_t n = 0; n < before.size(); ++n) parents[n] = static_cast<int>(n);
    for (std::size_t n = 0; n < before.size(); ++n)
        for (int b : before[n]) {
            if (rounds[n] < 0 || rounds[static_cast<std::size_t>(b)] != rounds[n]) continue;
            const int one = find_root(parents, static_cast<int>(n)), other = find_root(parents, b);
            parents[static_cast<std::size_t>(std::max(one, other))] = std::min(one, other);
        }
    std::map<int, std::vector<int>> sets;
    for (std::size_t n = 0; n < before.size(); ++n)
        if (rounds[n] >= 0)
            sets[find_root(parents, static_cast<int>(n))].push_back(static_cast<int>(n));
    std::vector<std::vector<int>> result;
    for (auto& [root, nodes] : sets) result.push_back(std::move(nodes));
    return result;
}

std::vector<int> execution_order(const Dependencies& before, const std::vector<int>& groups) {
    Units units(before, groups);
    ReadyQueue ready;
    for (std::size_t n = 0; n < before.size(); ++n)
        if (units.is_unit(n) && units.waiting_for[n] == 0) ready.push(static_cast<int>(n));
    std::vector<int> order;
    while (!ready.empty()) {
        const int unit = take(ready);
        const auto& nodes = units.nodes[static_cast<std::size_t>(unit)];
        order.insert(order.end(), nodes.begin(), nodes.end());
        units.finish(unit, [&](int next) { ready.push(next); });
    }
    CHECK(order.size() == before.size());
    return order;
}

}  // namespace skiff::runtime
