// What the engines over foreign libraries take from the model file instead of from the library:
// names, types, quantization.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/model.h"
#include "runtime/engine.h"
#include "runtime/interface.h"

namespace skiff::runtime {

// Everything but the shape and the size.
TensorInfo tensor_info(const Interface& interface, const InterfaceTensor& tensor);

// Whether invocations can influence later ones.
bool keeps_state(const model::Model& model);

// The position of each of `wanted` in `offered`, tensor indices both. Code::unimplemented when they
// are not the same set.
Result<std::vector<std::size_t>> positions_of(std::span<const InterfaceTensor> wanted,
                                              std::span<const std::int32_t> offered,
                                              std::string_view engine);

}  // namespace skiff::runtime
