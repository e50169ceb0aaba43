// The same random inputs through our engine and another, and what differs.
#pragma once

#include <optional>
#include <string>

#include "cli/compare.h"
#include "cli/session.h"
#include "model/model.h"

namespace skiff::cli {

enum class Verdict {
    equal,  // within the rules of compare.h
    differs,
    unsupported,   // ours does not run the model
    rejected,      // not a valid model
    no_reference,  // the other engine does not run it, or crashed
};

// The first operator, in execution order, whose output differs though its inputs agree.
struct FirstDifference {
    int node;
    std::string op;      // "CONV_2D"
    std::string output;  // the tensor's name
    Comparison comparison;
};

struct VerifyRow {
    std::string model;
    Verdict verdict = Verdict::equal;
    int runs = 0;
    Comparison comparison;  // over all runs and outputs
    std::optional<FirstDifference> first;
    std::string reference;  // the other engine's name
    std::string reason;
};

struct VerifyOptions {
    std::string against;  // as create_engine takes it
    int seeds = 20;       // models that keep state run three steps for each
    int threads = 1;
};

VerifyRow verify_model(const std::string& path, const VerifyOptions& options);

const char* verdict_name(Verdict verdict);

// "20,020 of 20,020 values equal in 20 runs", or what differs first.
std::string verify_sentence(const VerifyRow& row);

OrderedJson verify_json(const std::vector<VerifyRow>& rows);

}  // namespace skiff::cli
