// How much arithmetic a model is, before it is run.
#pragma once

#include <cstdint>

#include "model/model.h"

namespace skiff::runtime {

// Multiply-accumulates of one invocation with the shapes stored in the file (unknown dimensions
// count as 1): output elements x products per element, padding included. Counts CONV_2D,
// DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV and BATCH_MATMUL, whether or not this runtime
// has a kernel; 0 for all others, and where shapes make no sense. Saturates.
std::int64_t operator_macs(const model::Subgraph& subgraph, const model::Operator& op);
std::int64_t subgraph_macs(const model::Subgraph& subgraph);

}  // namespace skiff::runtime
