#include "telemetry/counter_file.h"

#include <algorithm>
#include <string>

namespace skiff::telemetry {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

Sketch read_sketch(const SketchCounters& counters) {
    Sketch sketch;
    sketch.add_zeros(counters.zeros.load(relaxed));
    for (int i = 0; i < sketch_buckets; ++i)
        sketch.add_bucket(i + Sketch::min_index, counters.buckets[i].load(relaxed));
    return sketch;
}

void drain_sketch(SketchCounters& counters, const Sketch& read) {
    read.for_each([&](std::int32_t index, std::uint64_t count) {
        counters.buckets[index - Sketch::min_index].fetch_sub(static_cast<std::uint32_t>(count),
                                                              relaxed);
    });
    counters.zeros.fetch_sub(static_cast<std::uint32_t>(read.zeros()), relaxed);
}

}  // namespace

CellCounts read_bank(const BankCounters& bank) {
    CellCounts counts;
    for (int i = 0; i < outcome_kinds; ++i) counts.inferences[i] = bank.inferences[i].load(relaxed);
    counts.latency_us = read_sketch(bank.latency_us);
    counts.load_us = read_sketch(bank.load_us);
    counts.first_inference_us = read_sketch(bank.first_inference_us);
    counts.peak_memory_bytes = bank.peak_memory_bytes.load(relaxed);
    counts.exposures = bank.exposures.load(relaxed);
    counts.labelled = bank.labelled.load(relaxed);
    counts.correct = bank.correct.load(relaxed);
    for (int i = 0; i < confidence_bins; ++i)
        counts.confidence[i] = bank.confidence[i].load(relaxed);
    for (int i = 0; i < update_outcome_kinds; ++i)
        counts.updates[i] = bank.updates[i].load(relaxed);
    for (const GoalCounters& goal : bank.goals) {
        if (goal.state.load(std::memory_order_acquire) != 2 || goal.count.load(relaxed) == 0)
            continue;
        counts.goals[goal.name] = {goal.count.load(relaxed), goal.sum.load(relaxed),
                                   goal.sum_of_squares.load(relaxed)};
    }
    return counts;
}

void drain_bank(BankCounters& bank, const CellCounts& counts) {
    for (int i = 0; i < outcome_kinds; ++i)
        bank.inferences[i].fetch_sub(counts.inferences[i], relaxed);
    drain_sketch(bank.latency_us, counts.latency_us);
    drain_sketch(bank.load_us, counts.load_us);
    drain_sketch(bank.first_inference_us, counts.first_inference_us);
    bank.peak_memory_bytes.store(0, relaxed);
    bank.exposures.fetch_sub(counts.exposures, relaxed);
    bank.labelled.fetch_sub(counts.labelled, relaxed);
    bank.correct.fetch_sub(counts.correct, relaxed);
    for (int i = 0; i < confidence_bins; ++i)
        bank.confidence[i].fetch_sub(static_cast<std::uint32_t>(counts.confidence[i]), relaxed);
    for (int i = 0; i < update_outcome_kinds; ++i)
        bank.updates[i].fetch_sub(counts.updates[i], relaxed);
    for (GoalCounters& goal : bank.goals) {
        if (goal.state.load(std::memory_order_acquire) != 2) continue;
        const auto read = counts.goals.find(goal.name);
        if (read == counts.goals.end()) continue;
        goal.count.fetch_sub(read->second.count, relaxed);
        goal.sum.fetch_sub(read->second.sum, relaxed);
        goal.sum_of_squares.fetch_sub(read->second.sum_of_squares, relaxed);
    }
}

}  // namespace skiff::telemetry
