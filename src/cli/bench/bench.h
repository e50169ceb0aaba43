// Measures engines, each in a child of its own, in rounds that take turns.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/bench/rounds.h"
#include "cli/session.h"
#include "model/model.h"

namespace skiff::cli {

struct BenchOptions {
    std::string vs;  // as create_engine takes it; empty: ours alone
    int threads = 1;
    int rounds = 7;
    int round_ms = 200;  // how long an engine runs in one round
    bool allow_fp16 = false;
};

struct EngineFigures {
    std::string engine;
    std::int64_t load_ns = 0;   // from the model's bytes to ready
    std::int64_t first_ns = 0;  // the first inference
    std::uint64_t peak_bytes = 0;
    int invocations = 0;            // per round
    std::vector<double> rounds_ns;  // each round's median
};

struct BenchRow {
    std::string model;
    std::vector<EngineFigures> engines;  // ours, then the rival
    std::optional<Ratio> ratio;          // also when its spread is too large to be shown
};

Result<BenchRow> bench_model(const std::string& path, const BenchOptions& options);

// "Intel(R) Xeon(R) ..." or what the system calls its processor.
std::string cpu_name();

OrderedJson bench_json(const std::vector<BenchRow>& rows, const BenchOptions& options);

}  // namespace skiff::cli
