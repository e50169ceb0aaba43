// Figures of interleaved rounds, and whether they may be shown.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace skiff::cli {

// A ratio that varies more than this over the rounds says more about the machine than about the
// engines.
constexpr double max_ratio_spread = 0.10;

double median(std::vector<double> values);  // not empty; the mean of the middle two for even counts

struct Ratio {
    double median, min, max;
    double spread() const { return (max - min) / median; }
};

// Per round: the rival's time over ours (above 1: ours is faster). As many rounds on both sides, at
// least one.
Ratio ratio_of_rounds(const std::vector<double>& ours, const std::vector<double>& rivals);

// Code::failed_precondition, with the spread and what to do, when it is above max_ratio_spread.
Status check_spread(const Ratio& ratio, std::size_t rounds);

// How many invocations make a round of `round_ns`, at least 3, at most 10,000.
int invocations_per_round(std::int64_t one_ns, std::int64_t round_ns);

}  // namespace skiff::cli
