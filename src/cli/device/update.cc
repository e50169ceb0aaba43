// `skiff device update` and `install`: bring a model to the version that the rules give this
// device.
#include <nlohmann/json.hpp>

#include "cli/device/options.h"
#include "cli/device/verbs.h"
#include "cli/progress.h"

namespace skiff::cli {
namespace {

using namespace std::chrono_literals;

std::string progress_line(const device::Progress& progress) {
    using State = device::Progress::State;
    switch (progress.state) {
        case State::downloading:
            return bytes_line(progress.bytes, progress.total_bytes, progress.bytes_per_s);
        case State::verifying:
            return "verifying";
        case State::trying:
            return "trying it";
        default:
            return progress.why;
    }
}

// Until it ends; a deadline of its conditions ends it if nothing else does.
Status wait_for(const Session& session, const device::Download& download) {
    Progress bar(!session.quiet);
    while (!download.done()) {
        Status waited = download.wait(100ms);
        if (waited.ok() || waited.error().code != Code::deadline_exceeded) return waited;
        const device::Progress now = download.progress();
        bar.show_bytes(now.bytes, now.total_bytes, progress_line(now));
    }
    return download.wait(0s);
}

OrderedJson version_json(const std::optional<device::Version>& version) {
    if (!version) return nullptr;
    return device::to_string(*version);
}

Result<ExitCode> execute(const Session& session, const DeviceOptions& options,
                         const device::DownloadConditions& conditions) {
    TRY(need_source(options));
    const OpenDevice device = TRY(open_device(options));
    const auto before = device.model->status();
    const device::Download download = device.model->update(conditions);
    const Status updated = wait_for(session, download);
    const bool reports = !options.report_token.empty() || !options.report_token_file.empty();
    if (reports)
        if (const Status sent = device.client->sync(30s);
            !sent.ok() && sent.error().code != Code::conditions_unmet && updated.ok())
            session.say("reports wait: " + sent.error().message);
    if (!updated.ok()) {
        if (exit_code_of(updated.error().code) == exit_deferred)
            return with_context(updated.error(), options.model);
        return updated.error();
    }
    const auto now = device.model->status();
    if (!now.running && !now.waiting)
        return error(Code::not_found, "no version of " + options.model +
                                          " is published for this device: " + now.why);
    if (session.json())
        session.print_json({{"model", options.model},
                            {"before", version_json(before.running)},
                            {"running", version_json(now.running)},
                            {"why", now.why}});
    session.say((now.running != before.running ? "updated: " : "nothing new: ") + now.why);
    return exit_done;
}

}  // namespace

void add_device_update(CLI::App& device, Session& session) {
    const auto options = std::make_shared<DeviceOptions>();
    CLI::App* verb = device.add_subcommand(
        "update", "Check, fetch what the conditions allow, try, switch (exit 3: put off)");
    add_store_options(*verb, *options);
    add_source_options(*verb, *options);
    add_condition_options(*verb, *options);
    add_fact_options(*verb, *options);
    verb->callback([&session, options] {
        session.run([&]() -> Result<ExitCode> {
            return execute(session, *options, TRY(conditions_of(*options)));
        });
    });
}

void add_device_install(CLI::App& device, Session& session) {
    const auto options = std::make_shared<DeviceOptions>();
    CLI::App* verb = device.add_subcommand(
        "install", "Update now, whatever the network; or without any, from file:// URLs");
    add_store_options(*verb, *options);
    add_source_options(*verb, *options);
    add_fact_options(*verb, *options);
    verb->callback([&session, options] {
        session.run([&] {
            // Nothing that is said of the network matters where none is used.
            if (only_files(options->urls)) options->network.clear();
            return execute(session, *options,
                           device::DownloadConditions{.deadline = std::chrono::seconds(0)});
        });
    });
}

}  // namespace skiff::cli
