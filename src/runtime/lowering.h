// From an operator's options in the file to plain parameters for its kernel.
#pragma once

#include "base/result.h"
#include "kernels/params.h"
#include "model/model.h"

namespace skiff::runtime {

// For the operators of kernels::Opcode; std::monostate for those without options, and for any other
// operator. Options that are absent, or of another operator's type, count as a table of default
// values, as in the official library. Errors: Code::invalid_argument for enum values that the
// format does not have, and for strides, dilations and filters below 1.
Result<kernels::Params> lower_options(const model::Operator& op);

}  // namespace skiff::runtime
