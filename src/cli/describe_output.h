// Outputs in words and JSON: what `run` prints.
#pragma once

#include <string>

#include "cli/session.h"
#include "runtime/engine.h"

namespace skiff::cli {

struct OutputSummary {
    double min = 0, max = 0;  // real values: quantized ones are scaled
    std::int64_t not_numbers = 0;
    std::vector<std::pair<std::int64_t, double>>
        top;                    // largest first, at most five; only for long vectors
    std::vector<double> first;  // the first values, at most five
};

// Real values of at most all numeric types; empty for others (strings, 4-bit).
std::vector<double> real_values(const runtime::TensorInfo& info, Bytes data);

OutputSummary summarize(const runtime::TensorInfo& info, Bytes data);
std::string summary_text(const OutputSummary& summary);
OrderedJson summary_json(const runtime::TensorInfo& info, const OutputSummary& summary);

}  // namespace skiff::cli
