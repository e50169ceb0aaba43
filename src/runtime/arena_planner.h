// Where tensors lie in one block of memory: pure arithmetic on lifetimes.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace skiff::runtime {

// Something that needs `bytes` at every time from `first` to `last`, both included.
struct Lifetime {
    std::size_t bytes;
    int first, last;
};

struct Placement {
    std::vector<std::size_t> offsets;  // one per lifetime, multiples of memory_alignment
    std::size_t bytes = 0;             // of the block
};

// The largest sum, over all times, of what lives then: a lower bound for any placement. As
// everywhere here, each item counts as a multiple of memory_alignment, and at least as one.
std::size_t largest_live_bytes(std::span<const Lifetime> items);

// Items that live at the same time do not overlap. Deterministic. The best of several greedy
// orders; when none reaches the lower bound, a search with a bounded number of steps goes on from
// there. Stays within 1.1 x largest_live_bytes on neural networks (the general problem is NP-hard,
// and has inputs where no placement does).
Placement place(std::span<const Lifetime> items);

}  // namespace skiff::runtime
