// When two outputs agree.
//
// Integers: exact when all are equal; close when no value is more than one step off, and at most
// one in a thousand is; else they differ. Floats: exact within 1e-5 of the largest absolute
// reference value; close within the looser bound that the caller grants (whole nets with two or
// more dynamic-range operators: one last-bit difference in a float flips an int8 activation). NaN
// equals NaN, an infinity equals itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "model/model.h"

namespace skiff::cli {

constexpr double float_bound = 1e-5;
constexpr double dynamic_range_bound = 5e-3;

enum class Match { exact, close, differs };

struct Comparison {
    Match match = Match::exact;
    std::int64_t values = 0;     // compared
    std::int64_t differing = 0;  // integers that are not equal, floats beyond 1e-5 of the largest
    double max_abs_diff = 0;     // in stored units for integers; infinite when NaN meets a number
    std::int64_t max_quant_steps = 0;  // integers only
    double max_abs_reference = 0;      // floats only
    std::int64_t worst_index = -1;     // where max_abs_diff is; -1: nowhere
    std::string reason = {};           // empty when exact

    double differing_fraction() const {
        return values ? static_cast<double>(differing) / static_cast<double>(values) : 0;
    }
    // Takes `other` in: the worse match, the larger differences, the sums.
    void merge(const Comparison& other);
};

struct CompareOptions {
    double loose_float_bound = float_bound;
    // The largest absolute value of the whole reference tensor, when only its head is at hand.
    std::optional<double> max_abs_reference = {};
};

// Compares as many values as `reference` holds; `actual` must hold at least as many bytes. Errors:
// Code::unimplemented for element types that are not numbers.
Result<Comparison> compare_values(DType dtype, Bytes reference, Bytes actual,
                                  const CompareOptions& options = {});

// How many operators compute with float activations and int8 or int4 constants.
int dynamic_range_operators(const model::Model& model);

// 1e-5, or 5e-3 for models with two or more dynamic-range operators.
double loose_bound_for(const model::Model& model);

const char* match_name(Match match);

}  // namespace skiff::cli
