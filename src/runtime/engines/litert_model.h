#pragma once

#include <vector>

#include "model/model.h"

namespace skiff::runtime {

// The LiteRT interface refuses files with variable tensors. On a graph's input the flag says
// nothing, since the caller writes it before every invocation: the file's bytes with such flags
// taken off. Empty when there are none.
std::vector<std::uint8_t> without_variable_inputs(const model::Model& model);

// Whether tensors are left that really keep their value.
bool has_variables(const model::Model& model);

}  // namespace skiff::runtime
