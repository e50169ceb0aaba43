#pragma once

#include <string>

#include "model/model.h"

namespace skiff::runtime {

// A hash of what an app relies on: number, element type and shape (unknown dimensions as -1) of the
// main subgraph's inputs and outputs, and whether they are quantized; not their names, and not
// their scales, which a new version may change.
std::string io_signature(const model::Model& model);

}  // namespace skiff::runtime
