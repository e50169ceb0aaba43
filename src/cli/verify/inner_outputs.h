#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "model/model.h"

namespace skiff::cli {

struct InnerOutputs {
    std::shared_ptr<const model::Model> model;  // keeps its own bytes
    std::vector<int> nodes;  // nodes[i]: the operator of the main subgraph that computes output i
};

// The same model with every number that an operator of the main subgraph computes as an output, in
// execution order, and without signatures. What it keeps in variables stays inside.
Result<InnerOutputs> with_inner_outputs(const model::Model& model);

}  // namespace skiff::cli
