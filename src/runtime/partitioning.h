// Which claimed nodes an accelerator gets together, and in which order everything runs: pure graph
// work on node indices.
#pragma once

#include <vector>

#include "model/model.h"

namespace skiff::runtime {

// Per node, the nodes that must run before it: the writers of its inputs, and, if it touches a
// variable tensor, the node before it that touches one (such nodes keep their order).
using Dependencies = std::vector<std::vector<int>>;
Dependencies dependencies(const model::Subgraph& subgraph);

// Splits the claimed nodes into connected sets, each of which can run as one: no path leaves a set
// and comes back, also when all sets of this call and all of `groups` run as one each. `groups`:
// per node the number of the set that it already belongs to, or -1; such nodes are not claimed.
// Sets and their nodes are in ascending order.
std::vector<std::vector<int>> partition(const Dependencies& before,
                                        const std::vector<bool>& claimed,
                                        const std::vector<int>& groups);

// All nodes in an order that keeps the dependencies and each group together; without groups 0, 1,
// 2, ...
std::vector<int> execution_order(const Dependencies& before, const std::vector<int>& groups);

}  // namespace skiff::runtime
