#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/engine_choice.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/verify/verify.h"

namespace skiff::cli {
namespace {

struct Options {
    std::vector<std::string> models;
    VerifyOptions verify;
    bool table = false;
};

Table rows_table(const std::vector<VerifyRow>& rows) {
    Table table({"model", "verdict", "equal", "values", "runs", "largest", "steps", "note"});
    for (const VerifyRow& row : rows) {
        const Comparison& c = row.comparison;
        const std::size_t slash = row.model.rfind('/');
        std::string note = row.reason;
        if (row.first)
            note = "node " + std::to_string(row.first->node) + " " + row.first->op + ": " +
                   row.first->comparison.reason;
        table.add({slash == std::string::npos ? row.model : row.model.substr(slash + 1),
                   verdict_name(row.verdict), with_commas(c.values - c.differing),
                   with_commas(c.values), std::to_string(row.runs), compact(c.max_abs_diff, 3),
                   std::to_string(c.max_quant_steps), note});
    }
    return table;
}

std::string total_line(const std::vector<VerifyRow>& rows) {
    std::int64_t values = 0, differing = 0;
    int runs = 0;
    std::string line;
    for (const VerifyRow& row : rows) {
        values += row.comparison.values;
        differing += row.comparison.differing;
        runs += row.runs;
    }
    for (const Verdict verdict : {Verdict::equal, Verdict::differs, Verdict::unsupported,
                                  Verdict::rejected, Verdict::no_reference}) {
        const auto count = std::ranges::count(rows, verdict, &VerifyRow::verdict);
        if (count > 0)
            line +=
                (line.empty() ? "" : ", ") + std::to_string(count) + " " + verdict_name(verdict);
    }
    return line + "; " + with_commas(values - differing) + " of " + with_commas(values) +
           " values equal in " + with_commas(runs) + " runs";
}

Result<ExitCode> verify(const Session& session, Options options) {
    options.verify.against = TRY(resolve_engine(options.verify.against));
    const std::vector<std::string> models = TRY(expand_models(options.models));
    std::vector<VerifyRow> rows;
    {
        Progress progress(!session.quiet);
        for (const std::string& model : models) {
            progress.show(rows.size(), models.size(), model);
            rows.push_back(verify_model(model, options.verify));
        }
    }
    const bool single = rows.size() == 1;
    const auto compared = std::ranges::count_if(rows, [](const VerifyRow& row) {
        return row.verdict == Verdict::equal || row.verdict == Verdict::differs;
    });
    if (session.json()) session.print_json(verify_json(rows));
    if (compared == 0)
        return error(Code::failed_precondition,
                     single ? rows[0].reason : "none of the models could be compared");
    if (single && !options.table && session.format == Format::table)
        session.say(verify_sentence(rows[0]));
    else
        session.print_table(rows_table(rows));
    if (!single || options.table) session.say(total_line(rows));
    const bool differs = std::ranges::count(rows, Verdict::differs, &VerifyRow::verdict) > 0;
    return differs ? exit_failed : exit_done;
}

}  // namespace

void add_verify(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand(
        "verify", "The same random inputs through skiff and an official library (exit 1: differs)");
    verb->add_option("MODEL", options->models, "files, folders, or @LIST with one path per line")
        ->required();
    verb->add_option("--against", options->verify.against, "litert[:LIB] or tflite[:LIB]")
        ->required()
        ->check(check_engine_choice);
    verb->add_option("--seeds", options->verify.seeds, "how many different inputs (default 20)")
        ->check(CLI::Range(1, 1'000'000));
    verb->add_option("--threads", options->verify.threads)->check(CLI::Range(1, 256));
    verb->add_flag("--table", options->table, "a table also for one model");
    verb->callback([&session, options] { session.run([&] { return verify(session, *options); }); });
}

}  // namespace skiff::cli
