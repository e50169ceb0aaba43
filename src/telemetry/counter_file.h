// The mapped file of counters, byte for byte (docs/formats/counters.md).
#pragma once

#include <atomic>
#include <cstdint>

#include "telemetry/recorder.h"

namespace skiff::telemetry {

constexpr std::uint64_t counter_file_magic = 0x3130'7265'746e'6373;  // "scnter01"
constexpr int cell_slots = 64;
constexpr int goal_slots = 8;
constexpr int name_bytes = 64;
constexpr int sketch_buckets = Sketch::max_index - Sketch::min_index + 1;

using Count = std::atomic<std::uint32_t>;
using WideCount = std::atomic<std::uint64_t>;
static_assert(Count::is_always_lock_free && WideCount::is_always_lock_free);
static_assert(std::atomic<double>::is_always_lock_free);

struct SketchCounters {
    Count zeros;
    Count buckets[sketch_buckets];
};

struct GoalCounters {
    std::atomic<std::uint32_t> state;  // 0 free, 1 being named, 2 named
    char name[name_bytes];
    WideCount count;
    std::atomic<double> sum, sum_of_squares;
};

struct BankCounters {
    WideCount inferences[outcome_kinds];
    WideCount peak_memory_bytes, exposures, labelled, correct;
    WideCount updates[update_outcome_kinds];
    Count confidence[confidence_bins];
    SketchCounters latency_us, load_us, first_inference_us;
    GoalCounters goals[goal_slots];
};

struct CellSlot {
    std::atomic<std::uint32_t> used;  // set last, after the key is written
    std::uint32_t version;
    char model[name_bytes], experiment[name_bytes], variant[name_bytes];
    BankCounters banks[2];
};

struct CounterFile {
    std::uint64_t magic;
    std::uint64_t bytes;                    // sizeof(CounterFile): another layout is another file
    std::atomic<std::uint64_t> generation;  // from 1; bank generation % 2 is written
    std::atomic<std::uint64_t> drained;     // the newest generation whose bank was emptied
    CellSlot slots[cell_slots];
};

// Reads and subtracts: what was read is gone, what came in between stays.
CellCounts read_bank(const BankCounters& bank);
void drain_bank(BankCounters& bank, const CellCounts& counts);

}  // namespace skiff::telemetry
