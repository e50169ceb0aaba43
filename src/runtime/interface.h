// Which tensors the caller sees, under which names: the main subgraph's, or those of a signature.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/model.h"

namespace skiff::runtime {

struct InterfaceTensor {
    std::string name;
    int tensor;
};

struct Interface {
    const model::Subgraph* subgraph = nullptr;
    std::vector<InterfaceTensor> inputs, outputs;
};

// An empty key: the main subgraph, in the file's order, with the tensors' names. Otherwise the
// signature's names, sorted, as the official signature runners count them. Errors: Code::not_found
// with the keys that there are; Code::invalid_argument for a signature whose tensors are not its
// subgraph's inputs and outputs.
Result<Interface> select_interface(const model::Model& model, const std::string& signature);

}  // namespace skiff::runtime
