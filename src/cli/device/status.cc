// `skiff device status`: what support staff asks for, in one table.
#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/device/options.h"
#include "cli/device/verbs.h"
#include "cli/table.h"

namespace skiff::cli {
namespace {

const char* source_name(device::ModelStatus::Source source) {
    constexpr const char* names[] = {"none", "bundled", "active", "previous"};
    return names[static_cast<int>(source)];
}

OrderedJson version_json(const std::optional<device::Version>& version) {
    if (!version) return nullptr;
    return {{"version", version->number}, {"sha256", version->sha256}};
}

std::string version_text(const std::optional<device::Version>& version) {
    return version ? device::to_string(*version) : "-";
}

// "2026-11-28 14:00:00 UTC"
std::string time_text(std::int64_t unix_s) {
    const std::time_t seconds = unix_s;
    std::tm utc{};
    char text[40];
    if (unix_s <= 0 || !gmtime_r(&seconds, &utc)) return "never";
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
    return text;
}

class StatusVerb {
 public:
    explicit StatusVerb(const DeviceOptions& options) : options_(options) {}

    Result<ExitCode> execute(const Session& session) {
        device_ = TRY(open_device(options_));
        const Json diagnostics = TRY(device_.client->diagnostics());
        TRY(add_models(diagnostics));
        add_store(diagnostics);
        add_facts(host_of(options_));
        if (session.json()) session.print_json(json_);
        session.print_table(table_);
        return exit_done;
    }

 private:
    void row(const std::string& what, const std::string& value, const std::string& source = "") {
        table_.add({what, value, source});
    }

    Status add_models(const Json& diagnostics) {
        std::vector<std::string> names = {options_.model};
        if (options_.model.empty()) names = device_.client->model_names();
        OrderedJson models = OrderedJson::array();
        for (const std::string& name : names) {
            auto model = device_.model;
            if (!model)
                model = TRY(device_.client->model(
                    name, {.type = device::DownloadType::local_model, .conditions = {}}));
            models.push_back(add_model(*model, diagnostics));
        }
        if (names.empty()) row("models", "none");
        json_["models"] = std::move(models);
        return {};
    }

    OrderedJson add_model(device::Model& model, const Json& diagnostics) {
        const device::ModelStatus status = model.status();
        row("model", model.name());
        row("  running", version_text(status.running), source_name(status.source));
        row("  waiting", version_text(status.waiting));
        row("  why", status.why);
        OrderedJson installed = OrderedJson::array();
        for (const Json& version : diagnostics.at("installed")) {
            if (version.at("model") != model.name()) continue;
            const auto bytes = version.at("bytes").get<std::uint64_t>();
            const auto number = version.at("version").get<std::uint32_t>();
            row("  installed", device::to_string({model.name(), number, ""}), human_bytes(bytes));
            installed.push_back({{"version", number},
                                 {"bytes", bytes},
                                 {"sha256", version.at("sha256").get<std::string>()}});
        }
        return {{"model", model.name()},
                {"running", version_json(status.running)},
                {"source", source_name(status.source)},
                {"waiting", version_json(status.waiting)},
                {"why", status.why},
                {"installed", std::move(installed)}};
    }

    void add_store(const Json& diagnostics) {
        const auto bytes = diagnostics.at("store_bytes").get<std::uint64_t>();
        const auto checked_s = diagnostics.at("checked_at_s").get<std::int64_t>();
        const auto waiting = diagnostics.at("reports_waiting").get<std::int64_t>();
        std::uint64_t uncounted = 0;
        for (const Json& cell : diagnostics.at("counts"))
            for (const Json& count : cell.at("outcomes")) uncounted += count.get<std::uint64_t>();
        row("store", human_bytes(bytes), options_.data);
        row("last sync", time_text(checked_s));
        const auto failure = diagnostics.at("check_failure").get<std::string>();
        if (!failure.empty()) row("last check failed", failure);
        row("reports waiting", std::to_string(waiting));
        row("inferences not in a report yet", with_commas(static_cast<std::int64_t>(uncounted)));
        json_["store_bytes"] = bytes;
        json_["checked_at_s"] = checked_s;
        json_["check_failure"] = failure;
        json_["reports_waiting"] = waiting;
        json_["inferences_not_reported"] = uncounted;
    }

    template <typename T>
    void add_fact(OrderedJson& facts, const char* name, const host::Fact<T>& fact,
                  const std::string& text) {
        row(name, fact.value ? text : "unknown", fact.source);
        facts[name] = {{"value", fact.value ? OrderedJson(*fact.value) : OrderedJson(nullptr)},
                       {"source", fact.source}};
    }

    void add_facts(const host::Host& host) {
        const auto network = host.network ? host.network->network() : host::NetworkState{};
        const auto power = host.power ? host.power->power() : host::PowerState{};
        const auto yes = [](const host::Fact<bool>& fact) {
            return std::string(fact.value.value_or(false) ? "yes" : "no");
        };
        OrderedJson facts = OrderedJson::object();
        add_fact(facts, "online", network.online, yes(network.online));
        add_fact(facts, "metered", network.metered, yes(network.metered));
        add_fact(facts, "charging", power.charging, yes(power.charging));
        add_fact(facts, "battery", power.battery_percent,
                 std::to_string(power.battery_percent.value.value_or(0)) + " %");
        add_fact(facts, "idle", power.idle, yes(power.idle));
        json_["facts"] = std::move(facts);
    }

    const DeviceOptions& options_;
    OpenDevice device_;
    Table table_{{"what", "value", "from"}};
    OrderedJson json_ = OrderedJson::object();
};

}  // namespace

void add_device_status(CLI::App& device, Session& session) {
    const auto options = std::make_shared<DeviceOptions>();
    CLI::App* verb = device.add_subcommand(
        "status", "What runs here and why, what is installed, what the device knows about itself");
    add_store_options(*verb, *options);
    add_source_options(*verb, *options);
    add_condition_options(*verb, *options);
    add_fact_options(*verb, *options);
    verb->callback([&session, options] {
        session.run([&] { return StatusVerb(*options).execute(session); });
    });
}

}  // namespace skiff::cli
