// A folder of models against stored reference outputs.
//
// FOLDER/models/*.tflite with FOLDER/golden/<name>/io.json (and golden/<name>/resize3/io.json,
// golden_real/<name>/*/meta.json where they are there), or any folder of .tflite files, which are
// then only run.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/compare.h"
#include "cli/session.h"

namespace skiff::cli {

enum class Conformity {
    pass,
    differs,
    unsupported,  // a valid model that was not run
    rejected,     // an invalid file
    ran,          // a valid model without a reference
};

struct ConformanceRow {
    std::string model;  // the file's name without .tflite
    Conformity status = Conformity::ran;
    std::optional<Comparison> comparison;  // with pass and differs
    std::string reason;
};

struct ConformanceOptions {
    std::string folder;
    std::string only;                              // a glob over model names; empty: all
    std::string engine = "skiff";                  // as create_engine takes it
    std::chrono::milliseconds time_limit{60'000};  // per case of a model
};

using ConformanceProgress =
    std::function<void(std::size_t done, std::size_t total, const std::string& model)>;

// One row per model, in the order of names. Fails only when the folder cannot be read or holds no
// models: whatever is wrong with a model is its row.
Result<std::vector<ConformanceRow>> run_conformance(const ConformanceOptions& options,
                                                    const ConformanceProgress& progress);

const char* conformity_name(Conformity status);

// {"models":N,"pass":N,"differs":N,"unsupported":N,"rejected":N,"ran":N,"results":[...]}
OrderedJson conformance_json(const std::vector<ConformanceRow>& rows);

}  // namespace skiff::cli
