// Counts inferences on the device and turns the counts into reports that arrive once.
//
// The counters live in a mapped file (a crash loses nothing that was counted), shared by all
// processes that use one store. Recording takes nanoseconds: no lock across processes on the path,
// no allocation, no system call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "telemetry/sketch.h"

namespace skiff::telemetry {

// What is counted apart: one cell per model version and experiment variant.
struct CellKey {
    std::string model;
    std::uint32_t version = 0;  // 0: bundled
    std::string experiment = {}, variant = {};
    friend bool operator==(const CellKey&, const CellKey&) = default;
};

enum class Outcome { success, failure, cancelled, aborted };
enum class UpdateOutcome {
    installed,
    load_failed,
    smoke_failed,
    hash_mismatch,
    bad_signature,
    network,
    no_space
};

struct CellCounts {
    std::uint64_t inferences[4] = {};  // by Outcome
    Sketch latency_us;                 // of successes
    Sketch load_us, first_inference_us;
    std::uint64_t peak_memory_bytes = 0;
    std::uint64_t exposures = 0;
    std::uint64_t labelled = 0, correct = 0;
    std::uint64_t updates[7] = {};  // by UpdateOutcome
};

// One cell's handle: any thread; valid while its Recorder lives.
class Cell {
 public:
    virtual ~Cell() = default;
    virtual void inference(Outcome outcome, std::int64_t latency_ns) = 0;
    virtual void load(std::int64_t load_ns) = 0;
    virtual void first_inference(std::int64_t latency_ns) = 0;
    virtual void peak_memory(std::uint64_t bytes) = 0;
    virtual void exposure() = 0;
    virtual void labelled_outcome(bool correct) = 0;
    virtual void update(UpdateOutcome outcome) = 0;
};

class Recorder {
 public:
    // `path`: the mapped file, made when absent; a damaged one is set aside and begun anew (said in
    // the log).
    static Result<std::unique_ptr<Recorder>> open(const std::string& path);
    virtual ~Recorder() = default;

    // The same cell for the same key, in all processes. Null Cell never; when all slots of the file
    // are taken, counts go to a cell shared by the rest (key model "", which reports name "other").
    virtual Cell& cell(const CellKey& key) = 0;

    struct Snapshot {
        CellKey key;
        CellCounts counts;
    };
    virtual std::vector<Snapshot> snapshot() const = 0;  // since the last take()
    // Empties the counters and gives what was in them: every count is in exactly one take. The
    // caller makes it durable inside `commit`; when that fails, the counts are put back.
    virtual Status take(std::function<Status(const std::vector<Snapshot>&)> commit) = 0;
};

}  // namespace skiff::telemetry
