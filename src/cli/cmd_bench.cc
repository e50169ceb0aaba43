#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/bench/bench.h"
#include "cli/commands.h"
#include "cli/engine_choice.h"
#include "cli/profile.h"
#include "cli/progress.h"
#include "cli/run_inputs.h"
#include "cli/table.h"

namespace skiff::cli {
namespace {

struct Options {
    std::vector<std::string> models;
    BenchOptions bench;
    bool profile = false;
};

Table rows_table(const std::vector<BenchRow>& rows) {
    Table table({"model", "engine", "load", "first", "median", "rounds", "peak memory"});
    for (const BenchRow& row : rows)
        for (const EngineFigures& engine : row.engines) {
            const auto [least, most] = std::ranges::minmax_element(engine.rounds_ns);
            const auto time = [](double ns) { return human_time(static_cast<std::int64_t>(ns)); };
            table.add({row.model.substr(row.model.rfind('/') + 1), engine.engine,
                       human_time(engine.load_ns), human_time(engine.first_ns),
                       time(median(engine.rounds_ns)), time(*least) + " to " + time(*most),
                       human_bytes(engine.peak_bytes)});
        }
    return table;
}

std::string ratio_line(const BenchRow& row) {
    const Ratio& ratio = *row.ratio;
    return row.model.substr(row.model.rfind('/') + 1) + ": skiff is " + compact(ratio.median, 3) +
           " times as fast as " + row.engines[1].engine + " (" + compact(ratio.min, 3) + " to " +
           compact(ratio.max, 3) + " over " + std::to_string(row.engines[0].rounds_ns.size()) +
           " rounds)";
}

// Where the time goes, in this process: node by node, over as many invocations as a round has.
Status print_profile(const Session& session, const std::string& path, const Options& options,
                     int invocations, OrderedJson& json) {
    const auto model = TRY(model::Model::load_file(path));
    runtime::InterpreterOptions own;
    own.threads = options.bench.threads;
    own.allow_fp16 = options.bench.allow_fp16;
    const auto interpreter = TRY(runtime::Interpreter::create(model, std::move(own)));
    TRY(interpreter->prepare());
    TRY(fill_random_inputs(*interpreter, 1));
    TRY(interpreter->invoke());
    NodeProfile profile;
    profile.watch(*interpreter);
    for (int i = 0; i < invocations; ++i) TRY(interpreter->invoke());
    session.print_table(profile.table(model->main()));
    json["profile"] = profile.json(model->main());
    return {};
}

Result<ExitCode> bench(const Session& session, Options options) {
    if (!options.bench.vs.empty()) options.bench.vs = TRY(resolve_engine(options.bench.vs));
    const std::vector<std::string> models = TRY(expand_models(options.models));
    std::vector<BenchRow> rows;
    {
        Progress progress(!session.quiet);
        for (const std::string& model : models) {
            progress.show(rows.size(), models.size(), model);
            rows.push_back(TRY(bench_model(model, options.bench)));
        }
    }
    session.say(cpu_name() + ", " + std::to_string(options.bench.threads) +
                (options.bench.threads == 1 ? " thread" : " threads") +
                (options.bench.allow_fp16 ? ", float16 allowed" : ", float32 exact"));
    session.print_table(rows_table(rows));
    OrderedJson json = bench_json(rows, options.bench);
    ExitCode exit_code = exit_done;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (options.profile)
            TRY(print_profile(session, models[i], options, rows[i].engines[0].invocations,
                              json["results"][i]));
        if (!rows[i].ratio) continue;
        const Status steady = check_spread(*rows[i].ratio, rows[i].engines[0].rounds_ns.size());
        if (steady.ok()) {
            session.say(ratio_line(rows[i]));
        } else {
            print_error(rows[i].model + ": " + steady.error().message);
            exit_code = exit_failed;
        }
    }
    if (session.json()) session.print_json(json);
    return exit_code;
}

}  // namespace

void add_bench(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb =
        app.add_subcommand("bench", "How fast models run, alone or against another engine");
    verb->add_option("MODEL", options->models, "files, folders, or @LIST with one path per line")
        ->required();
    verb->add_option("--vs", options->bench.vs, "litert[:LIB] or tflite[:LIB], in turns with skiff")
        ->check(check_engine_choice);
    verb->add_option("--threads", options->bench.threads)->check(CLI::Range(1, 256));
    verb->add_option("--rounds", options->bench.rounds)->check(CLI::Range(1, 1000));
    verb->add_option("--round-ms", options->bench.round_ms, "how long an engine runs in a round")
        ->check(CLI::Range(1, 600'000));
    verb->add_flag("--allow-fp16", options->bench.allow_fp16,
                   "half precision may stand in for float32");
    verb->add_flag("--profile", options->profile, "also the time of every node");
    verb->callback([&session, options] { session.run([&] { return bench(session, *options); }); });
}

}  // namespace skiff::cli
