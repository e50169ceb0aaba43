// Operators that run other subgraphs: IF, WHILE, CALL_ONCE, the StableHLO ones.
#pragma once

#include <vector>

#include "model/model.h"

namespace skiff::model {

// The subgraphs that a loaded model's operator runs, in the order of its options ({then, else},
// {condition, body}); most operators run none.
std::vector<std::int32_t> called_subgraphs(const Operator& op);

}  // namespace skiff::model
