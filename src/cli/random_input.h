// Inputs that anybody can make again from a seed.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace skiff::cli {

// splitmix64 from state `seed`, one draw u per value: integers of 8 and 16 bits over their whole
// range, bools u >> 63, wider integers (which are mostly indices) (u >> 33) % int_mod, floats (u >>
// 11) * 2^-53 * 2 - 1, in [-1, 1). Errors: Code::unimplemented for other types.
Result<std::vector<std::uint8_t>> random_values(DType dtype, std::size_t bytes, std::uint64_t seed,
                                                std::uint64_t int_mod = 8);

// The seed of one input of one step: different for each, the same on every machine.
std::uint64_t input_seed(std::uint64_t seed, std::size_t step, std::size_t input);

}  // namespace skiff::cli
