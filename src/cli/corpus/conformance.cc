#include "cli/corpus/conformance.h"

#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "cli/corpus/golden.h"
#include "cli/engine_choice.h"
#include "cli/run_inputs.h"
#include "runtime/time_limit.h"

namespace skiff::cli {
namespace {

Result<std::vector<std::string>> model_names(const ConformanceOptions& options,
                                             std::string& models_folder) {
    models_folder = options.folder + "/models";
    if (!file_exists(models_folder)) models_folder = options.folder;
    constexpr std::string_view suffix = ".tflite";
    std::vector<std::string> names;
    for (const std::string& file : TRY(list_folder(models_folder))) {
        if (!file.ends_with(suffix)) continue;
        const std::string name = file.substr(0, file.size() - suffix.size());
        if (options.only.empty() || fnmatch(options.only.c_str(), name.c_str(), 0) == 0)
            names.push_back(name);
    }
    if (names.empty())
        return error(Code::not_found, "no models in " + models_folder +
                                          (options.only.empty() ? "" : " match " + options.only));
    return names;
}

Result<std::vector<GoldenCase>> golden_cases(const std::string& folder, const std::string& model) {
    std::vector<GoldenCase> cases;
    const std::string golden = folder + "/golden/" + model;
    for (const char* variant : {"", "/resize3"})
        if (file_exists(golden + variant + "/io.json"))
            cases.push_back(
                TRY(read_golden(golden + variant, "io.json", *variant ? variant + 1 : "")));
    const std::string real = folder + "/golden_real/" + model;
    if (file_exists(real))
        for (const std::string& name : TRY(list_folder(real)))
            if (file_exists(real + "/" + name + "/meta.json"))
                cases.push_back(TRY(read_golden(real + "/" + name, "meta.json", name)));
    std::erase_if(cases, [](const GoldenCase& golden) { return !golden.has_inputs(); });
    return cases;
}

ConformanceRow failed_row(std::string model, const Error& e) {
    const bool invalid = e.code == Code::invalid_argument;
    return {
        std::move(model), invalid ? Conformity::rejected : Conformity::unsupported, {}, e.message};
}

class ModelCheck {
 public:
    ModelCheck(const ConformanceOptions& options, std::shared_ptr<const model::Model> model)
        : options_(options), model_(std::move(model)) {}

    // What all cases together give.
    Result<Comparison> compare(const std::vector<GoldenCase>& cases) const {
        Comparison total;
        for (const GoldenCase& golden : cases) {
            auto engine = TRY(open());
            const runtime::TimeLimit limit(*engine, options_.time_limit);
            const auto one = run_golden(*engine, golden, loose_bound_for(*model_));
            if (!one.ok()) return with_case(golden, limit.explain(one.error()));
            total.merge(*one);
        }
        return total;
    }

    Status run_once() const {
        auto engine = TRY(open());
        const runtime::TimeLimit limit(*engine, options_.time_limit);
        TRY(engine->prepare());
        TRY(fill_random_inputs(*engine, 1));
        const Status invoked = engine->invoke();
        if (!invoked.ok()) return limit.explain(invoked.error());
        return {};
    }

 private:
    Result<std::unique_ptr<runtime::Engine>> open() const {
        return open_engine(options_.engine, model_, {});
    }
    static Error with_case(const GoldenCase& golden, Error e) {
        return golden.name.empty() ? e : with_context(std::move(e), golden.name);
    }

    const ConformanceOptions& options_;
    std::shared_ptr<const model::Model> model_;
};

ConformanceRow check_model(const ConformanceOptions& options, const std::string& folder,
                           const std::string& name) {
    auto model = model::Model::load_file(folder + "/" + name + ".tflite");
    if (!model.ok()) return failed_row(name, model.error());
    auto cases = golden_cases(options.folder, name);
    if (!cases.ok()) return failed_row(name, with_context(cases.take_error(), "its reference"));
    const ModelCheck check(options, *model);
    const bool comparable =
        !cases->empty() && std::ranges::all_of(*cases, &GoldenCase::deterministic);
    if (!comparable) {
        const Status ran = check.run_once();
        if (!ran.ok()) return failed_row(name, ran.error());
        return {name,
                Conformity::ran,
                {},
                cases->empty() ? "no reference" : "the reference is not deterministic"};
    }
    const auto comparison = check.compare(*cases);
    if (!comparison.ok()) return failed_row(name, comparison.error());
    const bool differs = comparison->match == Match::differs;
    return {name, differs ? Conformity::differs : Conformity::pass, *comparison,
            comparison->reason};
}

}  // namespace

Result<std::vector<ConformanceRow>> run_conformance(const ConformanceOptions& options,
                                                    const ConformanceProgress& progress) {
    std::string folder;
    const std::vector<std::string> names = TRY(model_names(options, folder));
    std::vector<ConformanceRow> rows;
    for (const std::string& name : names) {
        progress(rows.size(), names.size(), name);
        rows.push_back(check_model(options, folder, name));
    }
    return rows;
}

const char* conformity_name(Conformity status) {
    switch (status) {
        case Conformity::pass:
            return "pass";
        case Conformity::differs:
            return "differs";
        case Conformity::unsupported:
            return "unsupported";
        case Conformity::rejected:
            return "rejected";
        default:
            return "ran";
    }
}

OrderedJson conformance_json(const std::vector<ConformanceRow>& rows) {
    OrderedJson out = {{"models", rows.size()}};
    for (const Conformity status : {Conformity::pass, Conformity::differs, Conformity::unsupported,
                                    Conformity::rejected, Conformity::ran})
        out[conformity_name(status)] = std::ranges::count(rows, status, &ConformanceRow::status);
    out["results"] = OrderedJson::array();
    for (const ConformanceRow& row : rows) {
        OrderedJson result = {{"model", row.model}, {"status", conformity_name(row.status)}};
        const auto& comparison = row.comparison;
        const bool compared = comparison.has_value();
        const bool passed = row.status == Conformity::pass;
        result["matched"] = passed ? OrderedJson(match_name(comparison->match)) : nullptr;
        // JSON has no infinity: a number against NaN is null.
        const bool finite = compared && std::isfinite(comparison->max_abs_diff);
        result["max_abs_diff"] = finite ? OrderedJson(comparison->max_abs_diff) : nullptr;
        result["max_quant_steps"] = compared ? OrderedJson(comparison->max_quant_steps) : nullptr;
        result["differing"] = compared ? OrderedJson(comparison->differing_fraction()) : nullptr;
        result["reason"] = row.reason;
        out["results"].push_back(std::move(result));
    }
    return out;
}

}  // namespace skiff::cli
