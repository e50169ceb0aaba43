// What a signature (or the main subgraph) offers: which tensors go in and out, as the model file
// says. The engines over foreign libraries take names, types and quantization from here, and ask
// the library only for shapes and memory.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/model.h"
#include "runtime/engine.h"

namespace skiff::runtime {

struct LibraryInterface {
    int subgraph = 0;
    std::string_view signature;                 // the signature's key; empty: none was asked for
    std::vector<std::int32_t> inputs, outputs;  // tensor indices of the subgraph
};

// Errors: Code::not_found for an unknown signature, with the list of those that exist.
Result<LibraryInterface> library_interface(const model::Model& model, std::string_view signature);

// Everything but the shape and the size.
TensorInfo tensor_info(const model::Model& model, int subgraph, std::int32_t tensor);

// Whether invocations can influence later ones.
bool keeps_state(const model::Model& model);

std::size_t tensor_bytes(DType dtype, const Shape& shape);

// The position of each of `wanted` in `offered`. Code::unimplemented when one is not offered, or
// twice.
Result<std::vector<std::size_t>> positions_of(std::span<const std::int32_t> wanted,
                                              std::span<const std::int32_t> offered,
                                              std::string_view engine);

}  // namespace skiff::runtime
