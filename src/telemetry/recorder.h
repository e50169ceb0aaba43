// Counts inferences on the device and turns the counts into reports that arrive once.
//
// The counters live in a mapped file, shared by all processes that use one store: a killed process
// loses nothing that was counted. Recording takes no lock, no allocation and no system call. There
// are two banks of counters; take() switches the bank that is written, and empties the other only
// after its contents were made durable elsewhere, so that every count is in exactly one take, also
// when the process dies in between.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "telemetry/sketch.h"

namespace skiff::telemetry {

// What is counted apart: one cell per model version and experiment variant. Names are at most 63
// bytes.
struct CellKey {
    std::string model = {};
    std::uint32_t version = 0;  // 0: bundled
    std::string experiment = {}, variant = {};
    friend auto operator<=>(const CellKey&, const CellKey&) = default;
};

enum class Outcome { success, failure, cancelled, aborted };
constexpr int outcome_kinds = 4;
enum class UpdateOutcome {
    installed,
    load_failed,
    smoke_failed,
    hash_mismatch,
    bad_signature,
    network,
    no_space,
};
constexpr int update_outcome_kinds = 7;
constexpr int confidence_bins = 20;  // [0,0.05), ... [0.95,1]

struct Goal {  // a metric that the app records: "tap", "correction"
    std::uint64_t count = 0;
    double sum = 0, sum_of_squares = 0;
};

struct CellCounts {
    std::uint64_t inferences[outcome_kinds] = {};
    Sketch latency_us;  // of successes
    Sketch load_us, first_inference_us;
    std::uint64_t peak_memory_bytes = 0;
    std::uint64_t exposures = 0;
    std::uint64_t labelled = 0, correct = 0;
    std::uint64_t confidence[confidence_bins] = {};
    std::uint64_t updates[update_outcome_kinds] = {};
    std::map<std::string, Goal> goals;

    bool empty() const;
    void merge(const CellCounts& other);
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
    virtual void confidence(float value) = 0;
    virtual void update(UpdateOutcome outcome) = 0;
    // At most 8 different metrics per cell; further ones are counted together as "other".
    virtual void goal(std::string_view metric, double value) = 0;
};

struct CellSnapshot {
    CellKey key;
    CellCounts counts;
};

class Recorder {
 public:
    // `path`: the mapped file, made when absent; a damaged one is set aside as `path`.damaged and
    // begun anew (said in the log). The
    // disk has room for all of it, or it fails: not_enough_space. `last_committed`: the generation
    // of the newest take that was made durable, 0 for none. `may_drop`: whose counts nobody will
    // ever take or look at; they go when more than half of the cells are in use and no other
    // process has the file open. Empty: none.
    using MayDrop = std::function<bool(const CellKey&)>;
    static Result<std::unique_ptr<Recorder>> open(const std::string& path,
                                                  std::uint64_t last_committed,
                                                  const MayDrop& may_drop = {});
    virtual ~Recorder() = default;
    // Counts nothing: where no file of counters can be had.
    static std::unique_ptr<Recorder> none();

    // The same cell for the same key, in all processes. When the file has no room for another, the
    // cell that counts for all the rest (key model "other").
    virtual Cell& cell(const CellKey& key) = 0;

    // Counts that no take has yet.
    virtual std::vector<CellSnapshot> snapshot() const = 0;
    // One taker at a time (the caller holds the store's lock). `commit` makes the counts durable
    // together with `generation`; when it fails, the next take brings the same counts again under
    // the same generation. Not called when there are none.
    using Commit =
        std::function<Status(std::uint64_t generation, const std::vector<CellSnapshot>& cells)>;
    virtual Status take(const Commit& commit) = 0;
};

}  // namespace skiff::telemetry
