#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/workplace.h"
#include "publish/publish_version.h"

namespace skiff::cli {
namespace {

struct Options {
    WorkplaceOptions place;
    publish::NewVersion version;
    std::vector<std::string> builds, tags;
    int min_runtime = 0;
    bool min_runtime_given = false;
};

// "npu=digits.npu.tflite"
Result<std::pair<std::string, std::string>> parse_pair(const std::string& text,
                                                       const char* option) {
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos && equals > 0 && equals + 1 < text.size())
        return std::pair(text.substr(0, equals), text.substr(equals + 1));
    return error(Code::invalid_argument,
                 std::string(option) + " " + text + ": write it as NAME=VALUE");
}

OrderedJson published_json(const publish::NewVersion& wanted, const publish::Published& published,
                           const Workplace& workplace, bool dry_run) {
    const publish::Figures& figures = published.main.figures;
    OrderedJson json = {{"model", wanted.model},
                        {"version", published.version},
                        {"home", workplace.home().describe()},
                        {"sha256", published.sha256},
                        {"size_bytes", figures.size_bytes},
                        {"format", published.main.is_tflite ? "tflite" : "opaque"},
                        {"default", published.is_default}};
    if (figures.arena_bytes) json["arena_bytes"] = *figures.arena_bytes;
    if (figures.macs) json["macs"] = *figures.macs;
    if (published.main.smoke) json["smoke"] = published.main.smoke->digest;
    if (published.same_bytes_as) json["same_bytes_as"] = *published.same_bytes_as;
    json["dry_run"] = dry_run;
    json["home_version"] = published.changed.version;
    json["warnings"] = published.warnings;
    return json;
}

// The rate is that of one file: another begins where fewer bytes have gone than before.
std::function<void(std::uint64_t, std::uint64_t)> upload_bar(Progress& progress) {
    using Clock = std::chrono::steady_clock;
    struct Begin {
        Clock::time_point time;
        std::uint64_t sent;
    };
    return [&progress, begin = std::optional<Begin>(), before = std::uint64_t{0}](
               std::uint64_t sent, std::uint64_t total) mutable {
        if (!begin || sent < before) begin = Begin{Clock::now(), sent};
        before = sent;
        const std::chrono::duration<double> took = Clock::now() - begin->time;
        const auto bytes = static_cast<double>(sent - begin->sent);
        const double rate = took.count() > 0 ? bytes / took.count() : 0;
        progress.show_bytes(sent, total, "sending " + bytes_line(sent, total, rate));
    };
}

Result<ExitCode> publish_file(const Session& session, Options options) {
    publish::NewVersion& wanted = options.version;
    for (const std::string& text : options.builds)
        if (!wanted.builds.insert(TRY(parse_pair(text, "--build"))).second)
            return error(Code::invalid_argument, "--build " + text + ": this class has a file");
    for (const std::string& text : options.tags)
        if (!wanted.tags.insert(TRY(parse_pair(text, "--tag"))).second)
            return error(Code::invalid_argument, "--tag " + text + ": this tag has a value");
    if (options.min_runtime_given) wanted.min_runtime = options.min_runtime;
    const auto workplace = TRY(Workplace::open(options.place));
    publish::Published published;
    {
        Progress progress(!session.quiet);
        workplace->on_upload(upload_bar(progress));
        published = TRY(publish::publish_version(
            workplace->publisher(), wanted, [&](int done, int total, const std::string& what) {
                progress.show(static_cast<std::size_t>(done), static_cast<std::size_t>(total),
                              what);
            }));
    }
    TRY(workplace->remember_home());
    std::string staying;
    for (const publish::KeyFile& key : TRY(workplace->project()->key_files()))
        if (key.should_leave) staying += (staying.empty() ? "" : ", ") + key.path;
    if (!staying.empty())
        published.warnings.push_back("move away from this machine, and keep safe: " + staying);
    for (const std::string& warning : published.changed.warnings)
        published.warnings.push_back(warning);
    const bool dry = options.place.dry_run;
    if (session.json()) session.print_json(published_json(wanted, published, *workplace, dry));
    const std::string name = wanted.model + ":" + std::to_string(published.version);
    session.say(name + (dry ? " would be published to " : " published to ") +
                workplace->home().describe() + ", " +
                human_bytes(published.main.figures.size_bytes) + ", sha256 " +
                published.sha256.substr(0, 12));
    const std::string next = published.has_default
                                 ? "skiff rollout start " + name + " --percent 10"
                                 : "skiff models alias " + wanted.model + " champion " +
                                       std::to_string(published.version);
    session.say(published.is_default ? "devices get it now: it is the default of " + wanted.model
                                     : "no device gets it yet (" + next + ")");
    if (published.same_bytes_as)
        session.say("note: the same bytes as " + wanted.model + ":" +
                    std::to_string(*published.same_bytes_as));
    for (const std::string& warning : published.warnings) session.say("warning: " + warning);
    return exit_done;
}

void add_version_options(CLI::App& verb, Options& options) {
    publish::NewVersion& version = options.version;
    verb.add_option("NAME", version.model, "of the model: digits")->required();
    verb.add_option("FILE", version.file, "a .tflite file, or any other (opaque: not checked)")
        ->required();
    verb.add_option("--with", version.with, "FILE: goes along, e.g. labels.txt")
        ->allow_extra_args(false);
    verb.add_option("--build", options.builds,
                    "CLASS=FILE: what devices of this class get instead of FILE")
        ->allow_extra_args(false);
    verb.add_option("--alias", version.aliases,
                    "another name for this version; champion: every device gets it now")
        ->allow_extra_args(false);
    verb.add_option("--tag", options.tags, "KEY=VALUE: anything worth knowing later")
        ->allow_extra_args(false);
    verb.add_option("--min-app", version.min_app, "apps below this version do not take it");
    verb.add_option("--require", version.require,
                    "fail unless it holds: size<=10MB, arena<2MB, macs<=50M, latency<5ms")
        ->allow_extra_args(false);
    verb.add_flag("--new-signature", version.new_signature,
                  "inputs or outputs are others than those of the version before");
    verb.add_option("--why", version.why, "TEXT for the audit");
    verb.add_flag("--dry-run", options.place.dry_run, "check everything, publish nothing");
}

}  // namespace

void add_publish(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb =
        app.add_subcommand("publish", "Check a file and make it a model's next version");
    add_version_options(*verb, *options);
    CLI::Option* min_runtime = verb->add_option(
        "--min-runtime", options->min_runtime,
        "N: devices with an older runtime do not take it (default: what the file needs)");
    min_runtime->check(CLI::Range(0, 1'000'000));
    add_home_options(*verb, options->place);
    verb->callback([&session, options, min_runtime] {
        options->min_runtime_given = min_runtime->count() > 0;
        session.run([&] { return publish_file(session, *options); });
    });
}

}  // namespace skiff::cli
