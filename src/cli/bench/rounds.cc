#include "cli/bench/rounds.h"

#include <algorithm>

#include "cli/table.h"

namespace skiff::cli {

double median(std::vector<double> values) {
    CHECK(!values.empty());
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Ratio ratio_of_rounds(const std::vector<double>& ours, const std::vector<double>& rivals) {
    CHECK(!ours.empty() && ours.size() == rivals.size());
    std::vector<double> ratios;
    for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(rivals[i] / ours[i]);
    const auto [least, most] = std::ranges::minmax_element(ratios);
    return {median(ratios), *least, *most};
}

Status check_spread(const Ratio& ratio, std::size_t rounds) {
    if (ratio.spread() <= max_ratio_spread) return {};
    return error(Code::failed_precondition,
                 "no ratio: it varied by " + compact(100 * ratio.spread(), 3) + " % over " +
                     std::to_string(rounds) +
                     " rounds, and above 10 % it measures the machine (try a quieter machine, or "
                     "more --rounds)");
}

int invocations_per_round(std::int64_t one_ns, std::int64_t round_ns) {
    return static_cast<int>(
        std::clamp<std::int64_t>(round_ns / std::max<std::int64_t>(one_ns, 1), 3, 10'000));
}

}  // namespace skiff::cli
