// Where a device stands on the line from 0 to 1, and which slice of it that is. GrowthBook
// specification 0.8.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace skiff::decide {

using Range = std::pair<double, double>;  // from first up to, not including, second

// hash_version 2: fnv1a32(text(fnv1a32(seed + value))) % 10000 / 10000; 1: fnv1a32(value + seed) %
// 1000 / 1000. Other versions: none. Hashes UTF-16 units, as the JavaScript SDK does.
std::optional<double> bucket_of(std::string_view seed, std::string_view value, int hash_version);

bool in_range(double bucket, const Range& range);
// Index of the first range that holds the bucket, or -1.
int choose_variation(double bucket, std::span<const Range> ranges);
std::vector<double> equal_weights(int variations);
// Slices for `variations` weights, each cut to `coverage` of itself. Weights that do not fit (wrong
// number, sum not 1) become equal ones; coverage is brought into 0..1.
std::vector<Range> bucket_ranges(int variations, double coverage, std::vector<double> weights);

}  // namespace skiff::decide
