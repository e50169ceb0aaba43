#include "cli/verify/verify.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/engine_choice.h"
#include "cli/run_inputs.h"
#include "cli/table.h"
#include "cli/verify/inner_outputs.h"
#include "runtime/engines/library_tensors.h"

namespace skiff::cli {
namespace {

constexpr int steps_with_state = 3;

struct Pair {
    std::unique_ptr<runtime::Engine> ours, theirs;
};

// Compares output `i` of both engines. A difference of type, shape or size is infinite.
Result<Comparison> compare_output(const Pair& pair, std::size_t i, double loose_float_bound) {
    const runtime::TensorInfo a = pair.theirs->output_info(i), b = pair.ours->output_info(i);
    const Bytes reference = pair.theirs->output(i), actual = pair.ours->output(i);
    if (!(a.shape == b.shape) || a.dtype != b.dtype || reference.size() != actual.size()) {
        Comparison wrong;
        wrong.match = Match::differs;
        wrong.max_abs_diff = std::numeric_limits<double>::infinity();
        wrong.reason = "output " + std::to_string(i) + " is " + b.shape.to_string() + " here and " +
                       a.shape.to_string() + " there";
        return wrong;
    }
    CompareOptions options;
    options.loose_float_bound = loose_float_bound;
    return compare_values(a.dtype, reference, actual, options);
}

Status invoke_both(const Pair& pair, std::uint64_t seed, std::size_t step) {
    TRY(fill_random_inputs(*pair.ours, seed, step));
    TRY(fill_random_inputs(*pair.theirs, seed, step));
    TRY(pair.ours->invoke());
    return pair.theirs->invoke();
}

Status reset_both(const Pair& pair) {
    TRY(pair.ours->reset_state());
    return pair.theirs->reset_state();
}

Status open_both(const std::shared_ptr<const model::Model>& model, const VerifyOptions& options,
                 Pair& pair, VerifyRow& row) {
    runtime::EngineOptions engine_options;
    engine_options.threads = options.threads;
    row.verdict = Verdict::unsupported;
    pair.ours = TRY(runtime::create_engine("skiff", model, engine_options));
    TRY(pair.ours->prepare());
    row.verdict = Verdict::no_reference;
    pair.theirs = TRY(open_engine(options.against, model, engine_options));
    TRY(pair.theirs->prepare());
    row.reference = pair.theirs->name();
    return {};
}

// Runs a variant of the model that shows every operator's output, and looks for the first that
// differs.
Result<std::optional<FirstDifference>> find_first_difference(
    const std::shared_ptr<const model::Model>& model, const VerifyOptions& options,
    std::uint64_t seed) {
    const InnerOutputs inner = TRY(with_inner_outputs(*model));
    Pair pair;
    VerifyRow ignored;
    TRY(open_both(inner.model, options, pair, ignored));
    const int steps = runtime::keeps_state(*model) ? steps_with_state : 1;
    for (int step = 0; step < steps; ++step) {
        TRY(invoke_both(pair, seed, static_cast<std::size_t>(step)));
        for (std::size_t i = 0; i < inner.nodes.size(); ++i) {
            const Comparison one = TRY(compare_output(pair, i, float_bound));
            if (one.match == Match::exact) continue;
            const model::Operator& op =
                model->main().operators[static_cast<std::size_t>(inner.nodes[i])];
            return std::optional(FirstDifference{inner.nodes[i], std::string(op.name),
                                                 pair.ours->output_info(i).name, one});
        }
    }
    return std::optional<FirstDifference>();
}

Status run_all(const std::shared_ptr<const model::Model>& model, const VerifyOptions& options,
               VerifyRow& row, std::uint64_t& differing_seed) {
    Pair pair;
    TRY(open_both(model, options, pair, row));
    const double bound = loose_bound_for(*model);
    const int steps = runtime::keeps_state(*model) ? steps_with_state : 1;
    for (int seed = 1; seed <= options.seeds; ++seed) {
        if (seed > 1) TRY(reset_both(pair));
        for (int step = 0; step < steps; ++step, ++row.runs) {
            TRY(invoke_both(pair, static_cast<std::uint64_t>(seed),
                            static_cast<std::size_t>(step)));
            for (std::size_t i = 0; i < pair.ours->output_count(); ++i) {
                const Comparison one = TRY(compare_output(pair, i, bound));
                if (one.match != Match::exact && differing_seed == 0)
                    differing_seed = static_cast<std::uint64_t>(seed);
                row.comparison.merge(one);
            }
        }
    }
    row.verdict = row.comparison.match == Match::differs ? Verdict::differs : Verdict::equal;
    row.reason = row.comparison.reason;
    return {};
}

}  // namespace

VerifyRow verify_model(const std::string& path, const VerifyOptions& options) {
    VerifyRow row;
    row.model = path;
    row.reference = options.against.substr(0, options.against.find(':'));
    auto model = model::Model::load_file(path);
    if (!model.ok()) {
        row.verdict =
            model.error().code == Code::unimplemented ? Verdict::unsupported : Verdict::rejected;
        row.reason = model.error().message;
        return row;
    }
    std::uint64_t differing_seed = 0;
    const Status ran = run_all(*model, options, row, differing_seed);
    if (!ran.ok()) {
        row.reason = ran.error().message;
        return row;
    }
    if (differing_seed != 0) {
        auto first = find_first_difference(*model, options, differing_seed);
        if (first.ok()) row.first = std::move(first).value();
    }
    return row;
}

const char* verdict_name(Verdict verdict) {
    switch (verdict) {
        case Verdict::equal:
            return "equal";
        case Verdict::differs:
            return "differs";
        case Verdict::unsupported:
            return "unsupported";
        case Verdict::rejected:
            return "rejected";
        default:
            return "no reference";
    }
}

std::string verify_sentence(const VerifyRow& row) {
    if (row.verdict != Verdict::equal && row.verdict != Verdict::differs) return row.reason;
    const Comparison& c = row.comparison;
    std::string text = with_commas(c.values - c.differing) + " of " + with_commas(c.values) +
                       " values equal in " + std::to_string(row.runs) +
                       (row.runs == 1 ? " run" : " runs");
    if (c.max_abs_diff > 0 && c.max_quant_steps == 0 && c.max_abs_reference > 0)
        text += ", largest difference " + compact(c.max_abs_diff / c.max_abs_reference, 2) +
                " of the largest value";
    if (row.first)
        text += "; first at node " + std::to_string(row.first->node) + ", " + row.first->op + " '" +
                row.first->output + "': " + row.first->comparison.reason;
    else if (c.match != Match::exact)
        text += "; " + row.reason + "; no single operator differs when its output is looked at";
    // Older releases compute quantized models with other kernels, and differ among themselves.
    if (c.match != Match::exact && row.reference.starts_with("tflite"))
        text += " (so do the official builds among themselves: litert is the one to agree with)";
    return text;
}

OrderedJson verify_json(const std::vector<VerifyRow>& rows) {
    OrderedJson out = {{"models", rows.size()}};
    for (const Verdict verdict : {Verdict::equal, Verdict::differs, Verdict::unsupported,
                                  Verdict::rejected, Verdict::no_reference}) {
        std::string key = verdict_name(verdict);
        std::ranges::replace(key, ' ', '_');
        out[key] = std::ranges::count(rows, verdict, &VerifyRow::verdict);
    }
    out["results"] = OrderedJson::array();
    for (const VerifyRow& row : rows) {
        const Comparison& c = row.comparison;
        OrderedJson result = {
            {"model", row.model},
            {"verdict", verdict_name(row.verdict)},
            {"against", row.reference},
            {"runs", row.runs},
            {"values", c.values},
            {"equal_values", c.values - c.differing},
            {"matched", match_name(c.match)},
            {"max_abs_diff", std::isfinite(c.max_abs_diff) ? OrderedJson(c.max_abs_diff) : nullptr},
            {"max_abs_reference", c.max_abs_reference},
            {"max_quant_steps", c.max_quant_steps}};
        if (row.first)
            result["first_difference"] = {{"node", row.first->node},
                                          {"operator", row.first->op},
                                          {"output", row.first->output},
                                          {"reason", row.first->comparison.reason}};
        result["reason"] = row.reason;
        out["results"].push_back(std::move(result));
    }
    return out;
}

}  // namespace skiff::cli
