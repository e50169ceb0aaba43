// One net through our interpreter and through the official library, in this process.
#pragma once

#include <string>

#include "tests/differential/net.h"

namespace skiff::differential {

enum class Outcome : int {
    same,
    differs,         // both run it
    ours_refuses,    // the official library runs it
    theirs_refuses,  // we run it
    both_refuse,
    amplified,  // differs as a whole, but no operator does on equal inputs: floats before a jump
    // The library gives other results when inner values are outputs; with those we agree.
    inconsistent,
    not_asked,  // the library's C interface cannot hand the outputs out
    invalid,    // the net itself is no valid model
};

struct Report {
    Outcome outcome = Outcome::same;
    std::string culprit;  // "CONV_2D int8": the operator that differs or refuses, or all of them
    std::string reason;
    std::string details;  // several lines
};

struct RunOptions {
    std::string litert, tflite;  // engines, as runtime::create_engine takes them
    bool verbose = false;
    std::string save_as;  // where the model is written; empty: nowhere
    // Called before each side's turn, so that a crash can be told to belong to it.
    void (*stage)(bool theirs) = nullptr;
};

Report run_seed(std::uint64_t seed, const RunOptions& options);

const char* outcome_name(Outcome outcome);

}  // namespace skiff::differential
