#include "model/calls.h"

#include <algorithm>

#include "model/reader.h"

namespace skiff::model {

namespace {

// Deeper nesting is not written by any converter, and costs the interpreter's stack.
constexpr int deepest = 32;

using Called = std::vector<std::int32_t>;

Called called_by_stablehlo(const tflite::Operator& op, int code) {
    switch (code) {
        case tflite::BuiltinOperator_STABLEHLO_REDUCE:
            if (const auto* o = op.builtin_options_2_as_StablehloReduceOptions())
                return {o->body_subgraph_index()};
            break;
        case tflite::BuiltinOperator_STABLEHLO_REDUCE_WINDOW:
            if (const auto* o = op.builtin_options_2_as_StablehloReduceWindowOptions())
                return {o->body_subgraph_index()};
            break;
        case tflite::BuiltinOperator_STABLEHLO_SORT:
            if (const auto* o = op.builtin_options_2_as_StablehloSortOptions())
                return {o->comparator_subgraph_index()};
            break;
        case tflite::BuiltinOperator_STABLEHLO_SCATTER:
            if (const auto* o = op.builtin_options_2_as_StablehloScatterOptions())
                return {o->update_computation_subgraph_index()};
            break;
        case tflite::BuiltinOperator_STABLEHLO_WHILE:
            if (const auto* o = op.builtin_options_2_as_StablehloWhileOptions())
                return {o->cond_subgraph_index(), o->body_subgraph_index()};
            break;
        case tflite::BuiltinOperator_STABLEHLO_COMPOSITE:
            if (const auto* o = op.builtin_options_2_as_StableHLOCompositeOptions())
                return {o->decomposition_subgraph_index()};
            break;
        case tflite::BuiltinOperator_STABLEHLO_CASE:
            if (const auto* o = op.builtin_options_2_as_StablehloCaseOptions())
                if (const auto* branches = o->branch_subgraph_indices())
                    return Called(branches->begin(), branches->end());
            break;
        default:
            break;
    }
    return {};
}

// {inputs, outputs} of the subgraph `which` of those that op calls, as the operator fixes them; -1:
// it does not.
struct Arity {
    std::ptrdiff_t inputs = -1, outputs = -1;
};
Arity expected_arity(const Operator& op, std::size_t which) {
    const auto inputs = static_cast<std::ptrdiff_t>(op.inputs.size());
    const auto outputs = static_cast<std::ptrdiff_t>(op.outputs.size());
    switch (op.builtin_code) {
        case tflite::BuiltinOperator_IF:
            return {inputs - 1, outputs};
        case tflite::BuiltinOperator_WHILE:
        case tflite::BuiltinOperator_STABLEHLO_WHILE:
            return which == 0 ? Arity{inputs, 1} : Arity{inputs, inputs};
        case tflite::BuiltinOperator_CALL:
        case tflite::BuiltinOperator_STABLEHLO_COMPOSITE:
            return {inputs, outputs};
        default:
            return {};
    }
}

Status check_call(const std::vector<Subgraph>& subgraphs, const Operator& op, const Called& called,
                  const Place& place) {
    for (std::size_t which = 0; which < called.size(); ++which) {
        const std::int32_t target = called[which];
        if (target < 0 || static_cast<std::size_t>(target) >= subgraphs.size())
            return broken(place, "runs subgraph " + std::to_string(target) + ", and there are " +
                                     std::to_string(subgraphs.size()));
        const Subgraph& subgraph = subgraphs[static_cast<std::size_t>(target)];
        const Arity arity = expected_arity(op, which);
        const auto differs = [](std::ptrdiff_t expected, std::size_t is) {
            return expected != -1 && expected != static_cast<std::ptrdiff_t>(is);
        };
        if (differs(arity.inputs, subgraph.inputs.size()) ||
            differs(arity.outputs, subgraph.outputs.size()))
            return broken(place, "runs subgraph " + std::to_string(target) + ", which takes " +
                                     std::to_string(subgraph.inputs.size()) + " and gives " +
                                     std::to_string(subgraph.outputs.size()) +
                                     " tensors instead of " + std::to_string(arity.inputs) +
                                     " and " + std::to_string(arity.outputs));
    }
    return {};
}

// Lengths of the longest chains of calls, filled as subgraphs turn out to call only known ones;
// whatever is left calls itself through others.
Status check_depth(const std::vector<std::vector<Called>>& calls) {
    std::vector<int> depth(calls.size(), -1);
    for (int round = 0; round <= deepest; ++round) {
        bool all_known = true;
        for (std::size_t i = 0; i < calls.size(); ++i) {
            if (depth[i] != -1) continue;
            const bool known = std::all_of(calls[i].begin(), calls[i].end(), [&](const Called& c) {
                return std::all_of(c.begin(), c.end(), [&](std::int32_t target) {
                    const int d = depth[static_cast<std::size_t>(target)];
                    return d != -1 && d < round;
                });
            });
            if (known)
                depth[i] = round;
            else
                all_known = false;
        }
        if (all_known) return {};
    }
    for (std::size_t i = 0; i < calls.size(); ++i)
        if (depth[i] == -1)
            return broken({static_cast<int>(i)},
                          "runs itself through its operators, or nests more than " +
                              std::to_string(deepest) + " subgraphs");
    return {};
}

}  // namespace

std::vector<std::int32_t> called_subgraphs(const Operator& op) {
    const auto& source = *static_cast<const tflite::Operator*>(op.flatbuffer);
    switch (op.builtin_code) {
        case tflite::BuiltinOperator_IF:
            if (const auto* o = source.builtin_options_as_IfOptions())
                return {o->then_subgraph_index(), o->else_subgraph_index()};
            return {};
        case tflite::BuiltinOperator_WHILE:
            if (const auto* o = source.builtin_options_as_WhileOptions())
                return {o->cond_subgraph_index(), o->body_subgraph_index()};
            return {};
        case tflite::BuiltinOperator_CALL_ONCE:
            if (const auto* o = source.builtin_options_as_CallOnceOptions())
                return {o->init_subgraph_index()};
            return {};
        case tflite::BuiltinOperator_CALL:
            if (const auto* o = source.builtin_options_as_CallOptions())
                return {static_cast<std::int32_t>(o->subgraph())};
            return {};
        default:
            return called_by_stablehlo(source, op.builtin_code);
    }
}

Status check_calls(const std::vector<Subgraph>& subgraphs) {
    std::vector<std::vector<Called>> calls(subgraphs.size());
    for (std::size_t s = 0; s < subgraphs.size(); ++s) {
        for (std::size_t i = 0; i < subgraphs[s].operators.size(); ++i) {
            const Operator& op = subgraphs[s].operators[i];
            Called called = called_subgraphs(op);
            const Place place = operator_place(static_cast<int>(s), static_cast<int>(i), op.name);
            const bool must_call = op.builtin_code == tflite::BuiltinOperator_IF ||
                                   op.builtin_code == tflite::BuiltinOperator_WHILE ||
                                   op.builtin_code == tflite::BuiltinOperator_CALL_ONCE;
            if (must_call && called.empty())
                return broken(place, "does not say which subgraph it runs");
            TRY(check_call(subgraphs, op, called, place));
            if (!called.empty()) calls[s].push_back(std::move(called));
        }
    }
    return check_depth(calls);
}

}  // namespace skiff::model
