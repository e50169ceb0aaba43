#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/corpus/conformance.h"
#include "cli/engine_choice.h"
#include "cli/progress.h"
#include "cli/table.h"

namespace skiff::cli {
namespace {

struct Options {
    ConformanceOptions conformance;
    int time_limit_s = 60;
};

std::string counts_line(const OrderedJson& json) {
    std::string line = std::to_string(json["models"].get<std::size_t>()) + " models:";
    const char* separator = " ";
    for (const char* status : {"pass", "differs", "unsupported", "rejected", "ran"}) {
        line += separator + std::to_string(json[status].get<int>()) + " " + status;
        separator = ", ";
    }
    return line;
}

Table rows_table(const std::vector<ConformanceRow>& rows) {
    Table table({"model", "status", "matched", "largest", "steps", "differing", "reason"});
    for (const ConformanceRow& row : rows) {
        const auto& c = row.comparison;
        table.add({row.model, conformity_name(row.status), c ? match_name(c->match) : "",
                   c ? compact(c->max_abs_diff, 3) : "-",
                   c ? std::to_string(c->max_quant_steps) : "-",
                   c ? compact(c->differing_fraction(), 3) : "-", row.reason});
    }
    return table;
}

Result<ExitCode> conformance(const Session& session, Options options) {
    options.conformance.engine = TRY(resolve_engine(options.conformance.engine));
    options.conformance.time_limit = std::chrono::seconds(options.time_limit_s);
    std::vector<ConformanceRow> rows;
    {
        Progress progress(!session.quiet);
        rows = TRY(run_conformance(options.conformance, [&](std::size_t done, std::size_t total,
                                                            const std::string& model) {
            progress.show(done, total, model);
        }));
    }
    const OrderedJson json = conformance_json(rows);
    if (session.json()) session.print_json(json);
    session.print_table(rows_table(rows));
    session.say(counts_line(json));
    return json["differs"].get<int>() == 0 ? exit_done : exit_failed;
}

}  // namespace

void add_conformance(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand(
        "conformance", "A folder of models against stored reference outputs (exit 1: one differs)");
    verb->add_option("DIR", options->conformance.folder,
                     "a corpus (models/, golden/), or any folder of .tflite files")
        ->required();
    verb->add_option("--only", options->conformance.only, "GLOB over the models' names");
    verb->add_option("--engine", options->conformance.engine, "skiff, litert[:LIB] or tflite[:LIB]")
        ->check(check_engine_choice);
    verb->add_option("--time-limit", options->time_limit_s, "seconds per case of a model")
        ->check(CLI::Range(1, 86'400));
    verb->callback(
        [&session, options] { session.run([&] { return conformance(session, *options); }); });
}

}  // namespace skiff::cli
