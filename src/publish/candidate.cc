#include "publish/candidate.h"

#include <algorithm>

#include "base/files.h"
#include "base/hex.h"
#include "model/metadata.h"
#include "runtime/interpreter.h"
#include "runtime/io_signature.h"
#include "runtime/model_cost.h"
#include "runtime/smoke.h"
#include "runtime/time_limit.h"
#include "trust/layout.h"

namespace skiff::publish {

namespace {

constexpr std::uint64_t smoke_seed = 1;
constexpr std::size_t longest_extension = 16;
constexpr int timed_runs = 5;

std::string extension_of(const std::string& file) {
    const std::size_t dot = file.rfind('.'), slash = file.rfind('/');
    if (dot == file.npos || (slash != file.npos && dot < slash)) return {};
    const std::string extension = file.substr(dot);
    const bool plain = extension.size() <= longest_extension &&
                       trust::is_plain_name(std::string_view(extension).substr(1));
    return plain ? extension : std::string();
}

Result<std::int64_t> median_ns(runtime::Engine& engine) {
    std::vector<std::int64_t> times;
    for (int i = 0; i < timed_runs; ++i) {
        const auto start = std::chrono::steady_clock::now();
        TRY(engine.invoke());
        times.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::steady_clock::now() - start)
                            .count());
    }
    std::ranges::nth_element(times, times.begin() + timed_runs / 2);
    return times[timed_runs / 2];
}

Status smoke_test(runtime::Interpreter& engine, const CandidateChecks& checks, bool timed,
                  Candidate& candidate) {
    const runtime::TimeLimit limit(engine, checks.time_limit);
    const auto run = [&]() -> Status {
        std::string digest = TRY(runtime::smoke_digest(engine, smoke_seed));
        candidate.smoke = decide::SmokeTest{smoke_seed, std::move(digest)};
        if (timed) candidate.figures.latency_ns = TRY(median_ns(engine));
        return {};
    };
    const Status done = run();
    if (done.ok()) return {};
    const Error why = limit.explain(done.error());
    if (why.code != Code::deadline_exceeded) return with_context(why, "the smoke test");
    return error(Code::failed_precondition, "the smoke test " + why.message);
}

Status check_tflite(const CandidateChecks& checks, Candidate& candidate) {
    const auto model = TRY(model::Model::load_memory(as_bytes(candidate.bytes), candidate.file));
    std::string missing;
    for (const std::string& op : runtime::missing_operators(*model))
        missing += (missing.empty() ? "" : ", ") + op;
    if (!missing.empty())
        return error(Code::incompatible,
                     "no runtime of ours runs " + missing +
                         " (to deliver it to another runtime, "
                         "give the file another ending than .tflite: it is not checked then)");
    (void)TRY(model::read_metadata(*model));
    auto engine = TRY(runtime::Interpreter::create(model));
    const bool timed = std::ranges::any_of(checks.requirements, [](const Requirement& r) {
        return r.figure == Requirement::Figure::latency;
    });
    TRY(smoke_test(*engine, checks, timed, candidate));
    candidate.figures.arena_bytes = engine->memory().arena_bytes;
    candidate.figures.macs = runtime::subgraph_macs(model->main());
    candidate.io_signature = runtime::io_signature(*model);
    return {};
}

}  // namespace

Result<Candidate> read_candidate(const std::string& file, const CandidateChecks& checks) {
    Candidate candidate;
    candidate.file = file;
    candidate.extension = extension_of(file);
    candidate.bytes = TRY(read_file(file));
    candidate.figures.size_bytes = candidate.bytes.size();
    candidate.is_tflite = candidate.extension == ".tflite";
    const auto check = [&]() -> Status {
        if (candidate.bytes.empty()) return error(Code::invalid_argument, "the file is empty");
        if (candidate.is_tflite) TRY(check_tflite(checks, candidate));
        for (const Requirement& requirement : checks.requirements)
            TRY(check_requirement(requirement, candidate.figures));
        return {};
    };
    Status checked = check();
    if (checked.ok()) return candidate;
    const Error& e = checked.error();
    return e.message.starts_with(file) ? e : with_context(e, file);
}

}  // namespace skiff::publish
