#include "cli/bench/bench.h"

#include <sys/utsname.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "cli/isolated/isolated_engine.h"
#include "cli/run_inputs.h"

namespace skiff::cli {
namespace {

// How long an engine runs before the first round: caches, frequency, lazily made code.
constexpr std::int64_t warm_up_ns = 100'000'000;

struct Racer {
    std::unique_ptr<IsolatedEngine> engine;
    EngineFigures figures;
};

Result<Racer> start_racer(const std::string& spec, const std::shared_ptr<const model::Model>& model,
                          const BenchOptions& options) {
    runtime::EngineOptions engine_options;
    engine_options.threads = options.threads;
    engine_options.allow_fp16 = options.allow_fp16;
    Racer racer;
    racer.engine = TRY(IsolatedEngine::start(spec, model, engine_options));
    TRY(racer.engine->prepare());
    racer.figures.engine = racer.engine->name();
    racer.figures.load_ns = TRY(racer.engine->process_use()).load_ns;
    TRY(fill_random_inputs(*racer.engine, 1));
    racer.figures.first_ns = TRY(racer.engine->time_invocations(1))[0];
    const int warm_up = invocations_per_round(racer.figures.first_ns, warm_up_ns);
    std::int64_t total = 0;
    for (const std::int64_t ns : TRY(racer.engine->time_invocations(warm_up))) total += ns;
    racer.figures.invocations =
        invocations_per_round(total / warm_up, std::int64_t{options.round_ms} * 1'000'000);
    return racer;
}

Status run_round(Racer& racer) {
    const auto times = TRY(racer.engine->time_invocations(racer.figures.invocations));
    racer.figures.rounds_ns.push_back(median({times.begin(), times.end()}));
    return {};
}

}  // namespace

Result<BenchRow> bench_model(const std::string& path, const BenchOptions& options) {
    const auto model = TRY(model::Model::load_file(path));
    std::vector<Racer> racers;
    racers.push_back(TRY(start_racer("skiff", model, options)));
    if (!options.vs.empty()) racers.push_back(TRY(start_racer(options.vs, model, options)));
    for (int round = 0; round < options.rounds; ++round)
        for (std::size_t i = 0; i < racers.size(); ++i)
            // Who goes first changes, so that neither always finds the machine as the other left
            // it.
            TRY(run_round(racers[(i + static_cast<std::size_t>(round)) % racers.size()]));
    BenchRow row;
    row.model = path;
    for (Racer& racer : racers) {
        racer.figures.peak_bytes = TRY(racer.engine->process_use()).peak_bytes;
        row.engines.push_back(std::move(racer.figures));
    }
    if (row.engines.size() == 2)
        row.ratio = ratio_of_rounds(row.engines[0].rounds_ns, row.engines[1].rounds_ns);
    return row;
}

std::string cpu_name() {
    const auto info = read_file("/proc/cpuinfo");
    const std::size_t at = info.ok() ? info->find("model name") : std::string::npos;
    if (at != std::string::npos) {
        const std::size_t start = info->find_first_not_of(": \t", at + 10);
        if (start != std::string::npos) return info->substr(start, info->find('\n', start) - start);
    }
    utsname name{};
    return uname(&name) == 0 ? name.machine : "unknown processor";
}

OrderedJson bench_json(const std::vector<BenchRow>& rows, const BenchOptions& options) {
    OrderedJson out = {{"cpu", cpu_name()},
                       {"threads", options.threads},
                       {"rounds", options.rounds},
                       {"allow_fp16", options.allow_fp16},
                       {"results", OrderedJson::array()}};
    for (const BenchRow& row : rows) {
        OrderedJson result = {{"model", row.model}, {"engines", OrderedJson::array()}};
        for (const EngineFigures& engine : row.engines)
            result["engines"].push_back({{"engine", engine.engine},
                                         {"load_ns", engine.load_ns},
                                         {"first_inference_ns", engine.first_ns},
                                         {"median_ns", median(engine.rounds_ns)},
                                         {"rounds_ns", engine.rounds_ns},
                                         {"invocations_per_round", engine.invocations},
                                         {"peak_bytes", engine.peak_bytes}});
        if (row.ratio) {
            const Status steady = check_spread(*row.ratio, row.engines[0].rounds_ns.size());
            result["ratio"] = steady.ok() ? OrderedJson(row.ratio->median) : nullptr;
            result["ratio_spread"] = row.ratio->spread();
            if (!steady.ok()) result["reason"] = steady.error().message;
        }
        out["results"].push_back(std::move(result));
    }
    return out;
}

}  // namespace skiff::cli
