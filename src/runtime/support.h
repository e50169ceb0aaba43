// What keeps a graph from running here, found before anything is built.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/model.h"

namespace skiff::runtime {

// "TRANSPOSE_CONV (version 3) x4", "CUSTOM Foo x1", in the order of first appearance. An operator
// newer than its kernel understands counts as missing.
std::vector<std::string> missing_operators(const model::Subgraph& subgraph);

// Errors: Code::unimplemented for missing operators, sparse tensors, element types without whole
// bytes, and operators that write a variable tensor as an output.
Status check_supported(const model::Subgraph& subgraph);

// "node 12 CONV_2D (output 'foo')"
std::string describe_node(const model::Subgraph& subgraph, int node);

}  // namespace skiff::runtime
