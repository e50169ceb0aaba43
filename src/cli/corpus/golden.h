// Stored reference outputs of a model: a folder with io.json (or meta.json) and raw little-endian
// files.
//
//   {"seed": n, "int_mod": n, "deterministic": true, "steps": [{"inputs": [T...], "outputs":
//   [T...]}]} T: index, dtype ("INT8"), shape, bytes, and either file (whole) or head_file (the
//   first values of a large tensor); sha256 of the whole; stats with min and max; stored_as when
//   the file holds a narrower type.
//
// Steps follow each other without a reset. An input with a head only is made again from the seed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/compare.h"
#include "runtime/engine.h"

namespace skiff::cli {

struct GoldenTensor {
    std::size_t index = 0;
    std::string name;
    DType dtype = DType::float32;
    DType stored_as = DType::float32;
    Shape shape;
    std::size_t bytes = 0;
    std::string file;  // empty: only the head is stored, or nothing
    std::string head_file;
    std::string sha256;  // of the whole; may be empty
    std::optional<double> max_abs;
};
struct GoldenStep {
    std::vector<GoldenTensor> inputs, outputs;
};
struct GoldenCase {
    std::string name;  // "", "resize3", "bird": for messages
    bool deterministic = true;
    std::uint64_t seed = 0, int_mod = 8;
    std::vector<GoldenStep> steps;
    bool has_inputs() const;  // false: an input was not kept (a photo in another file)
};

// Errors name the file and what is wrong in it.
Result<GoldenCase> read_golden(const std::string& folder, const std::string& file,
                               std::string name);

// An input's bytes, read or made again; checked against sha256 when there is one.
Result<std::vector<std::uint8_t>> golden_input(const GoldenCase& golden, std::size_t step,
                                               const GoldenTensor& input);

// Runs every step of the case on a fresh engine and compares all outputs. An output of another
// shape or type differs. Errors are the engine's, or the reference's own.
Result<Comparison> run_golden(runtime::Engine& engine, const GoldenCase& golden,
                              double loose_float_bound);

}  // namespace skiff::cli
