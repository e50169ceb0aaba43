// differential COUNT SEED [--save FILE]: COUNT random models from SEED on, with our interpreter and
// with the official library. Exits with 1 when both run a model and differ, ours crashes, or
// most could not be compared.
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "base/files.h"
#include "cli/engine_choice.h"
#include "tests/differential/worker.h"

namespace skiff::differential {
namespace {

// "filter (5) larger than 3" and "filter (7) larger than 2" are one reason.
std::string without_numbers(const std::string& text) {
    std::string out;
    bool number = false;
    for (const char c : text) {
        const bool goes_on = number && (c == ',' || c == '.' || c == 'e' || c == '-' || c == '+');
        if (goes_on) continue;
        number = std::isdigit(static_cast<unsigned char>(c)) != 0;
        if (!number)
            out += c;
        else if (out.empty() || out.back() != '#')
            out += '#';
    }
    return out.substr(0, 180);
}

// What is told of a result that is not "same": its kind, reason and, where one is known, operator.
std::string group_key(const std::string& outcome, const Report& report) {
    const std::string& reason = report.reason;
    // The nets that neither takes are not legal, or an operator got a shape it did not expect.
    if (report.outcome == Outcome::both_refuse)
        return outcome + " | " + without_numbers(reason.substr(0, reason.find(" (output")));
    std::string key = outcome + " | " + without_numbers(reason);
    if (report.culprit.find(',') == std::string::npos) key += " | " + report.culprit;
    return key;
}

struct Group {
    int count = 0;
    std::uint64_t example = 0;
};

class Tally {
 public:
    explicit Tally(const RunOptions& options) : options_(options) {}

    void add(const SeedResult& result) {
        const Report& report = result.report;
        std::string outcome = outcome_name(report.outcome);
        if (result.crashed) outcome = result.theirs ? "they crash" : "WE CRASH";
        const bool bad = result.crashed ? !result.theirs : report.outcome == Outcome::differs;
        if (bad && !options_.verbose && !confirmed(result.seed)) {
            outcome = "not repeated";
        } else if (bad) {
            ++bad_;
            std::printf("%s: seed %llu: %s: %s\n%s", outcome.c_str(),
                        static_cast<unsigned long long>(result.seed), report.culprit.c_str(),
                        report.reason.c_str(), report.details.c_str());
        } else if (options_.verbose) {
            std::printf("%s: seed %llu: %s: %s\n%s", outcome.c_str(),
                        static_cast<unsigned long long>(result.seed), report.culprit.c_str(),
                        report.reason.c_str(), report.details.c_str());
        }
        ++outcomes_[outcome];
        ++models_;
        if (report.outcome == Outcome::same && !result.crashed) count_operators(report.culprit);
        if (report.outcome != Outcome::same || result.crashed) {
            Group& group = groups_[group_key(outcome, report)];
            if (group.count++ == 0) group.example = result.seed;
        }
    }

    void print(double seconds) const {
        std::printf("operators in models that agree:\n");
        for (const auto& [name, count] : operators_)
            std::printf("  %7d  %s\n", count, name.c_str());
        std::printf("reasons:\n");
        for (const auto& [key, group] : groups_)
            std::printf("  %7d  %s (seed %llu)\n", group.count, key.c_str(),
                        static_cast<unsigned long long>(group.example));
        for (const auto& [name, count] : outcomes_) std::printf("%s %d, ", name.c_str(), count);
        std::printf("%d models in %.0f s\n", models_, seconds);
    }

    int bad() const { return bad_; }
    // Of few models that agree nothing follows: most others are refused or crash the library.
    bool says_enough() const {
        const auto same = outcomes_.find(outcome_name(Outcome::same));
        return models_ < 1000 || (same != outcomes_.end() && same->second >= models_ * 9 / 10);
    }

 private:
    // A library may have spoilt this process's memory some models ago: once more, in a fresh child.
    bool confirmed(std::uint64_t seed) const {
        bool again = false;
        run_seeds(seed, 1, options_, [&](const SeedResult& result) {
            again = result.crashed ? !result.theirs : result.report.outcome == Outcome::differs;
        });
        return again;
    }

    void count_operators(const std::string& text) {
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t comma = std::min(text.find(", ", at), text.size());
            ++operators_[text.substr(at, comma - at)];
            at = comma + 2;
        }
    }

    const RunOptions& options_;
    int models_ = 0, bad_ = 0;
    std::map<std::string, int> outcomes_, operators_;
    std::map<std::string, Group> groups_;
};

int run(std::uint64_t count, std::uint64_t seed, const std::string& save_as) {
    RunOptions options;
    options.verbose = !save_as.empty();
    options.save_as = save_as;
    for (auto [name, engine] :
         {std::pair("litert", &options.litert), {"tflite", &options.tflite}}) {
        const auto spec = cli::resolve_engine(name);
        if (!spec.ok()) {
            std::printf("skipped, an official library is not there: %s\n",
                        spec.error().message.c_str());
            return 0;
        }
        *engine = *spec;
    }
    Tally tally(options);
    const std::time_t start = std::time(nullptr);
    run_seeds(seed, count, options, [&](const SeedResult& result) { tally.add(result); });
    tally.print(std::difftime(std::time(nullptr), start));
    if (!tally.says_enough()) {
        std::printf("fewer than nine of ten models were compared and agree\n");
        return 1;
    }
    return tally.bad() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace skiff::differential

int main(int argc, char** argv) {
    const bool saves = argc == 5 && std::string(argv[3]) == "--save";
    char *count_end = nullptr, *seed_end = nullptr;
    if (argc == 3 || saves) {
        const std::uint64_t count = std::strtoull(argv[1], &count_end, 10);
        const std::uint64_t seed = std::strtoull(argv[2], &seed_end, 10);
        if (count > 0 && *count_end == '\0' && *seed_end == '\0')
            return skiff::differential::run(count, seed, saves ? argv[4] : "");
    }
    std::fprintf(stderr, "usage: differential COUNT SEED [--save FILE]\n");
    return 2;
}
