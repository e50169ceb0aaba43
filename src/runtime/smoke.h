// A smoke test: the model computes once on inputs drawn from a seed, and gives what it gave its
// publisher.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/engine.h"

namespace skiff::runtime {

// Prepares and invokes. The digest covers shapes and, of outputs of integer types, every byte: they
// are the same on every CPU. Of float outputs it covers the shape only, as their last bits differ
// between CPUs; one that is not finite is Code::data_loss. Errors of the engine pass through.
Result<std::string> smoke_digest(Engine& engine, std::uint64_t seed);

}  // namespace skiff::runtime
