// Seeds are run in child processes, since the official library crashes on some models. A child
// lives for many models; when it dies, the one it was at is known.
#pragma once

#include <functional>

#include "tests/differential/run.h"

namespace skiff::differential {

struct SeedResult {
    std::uint64_t seed = 0;
    Report report;
    std::string operators;  // of the whole net
    bool crashed = false;   // or hung: `theirs` says at whose turn
    bool theirs = false;
};

// Runs seeds [first, first + count), calls each(result) in order.
void run_seeds(std::uint64_t first, std::uint64_t count, const RunOptions& options,
               const std::function<void(const SeedResult&)>& each);

}  // namespace skiff::differential
