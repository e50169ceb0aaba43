#pragma once

#include <cstdint>

#include "base/result.h"
#include "runtime/engine.h"

namespace skiff::cli {

// Fills every input with random values of the seed; the same for every engine. The engine is
// prepared.
Status fill_random_inputs(runtime::Engine& engine, std::uint64_t seed, std::size_t step = 0);

// Copies `data` into an input. Code::invalid_argument when the size is not the input's, with both
// sizes and `what` (a file's name, say).
Status set_input(runtime::Engine& engine, std::size_t i, Bytes data, const std::string& what);

}  // namespace skiff::cli
