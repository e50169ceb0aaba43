#include "cli/device/options.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "cli/device/facts.h"

namespace skiff::cli {
namespace {

// "02:00-05:00"
Result<device::LocalTimeWindow> read_window(const std::string& text) {
    const std::size_t dash = text.find('-');
    if (dash == std::string::npos)
        return error(Code::invalid_argument, "give a time window as 02:00-05:00");
    return device::parse_window(text.substr(0, dash), text.substr(dash + 1));
}

std::string check_window(const std::string& text) {
    const auto window = read_window(text);
    return window.ok() ? "" : window.error().message;
}

std::string check_attribute(const std::string& text) {
    const std::size_t equals = text.find('=');
    return equals == std::string::npos || equals == 0 ? "give an attribute as name=value" : "";
}

// Numbers and truth values as such: conditions compare them so.
Json attribute_value(const std::string& text) {
    const auto parsed = parse_json(text, "attribute");
    if (parsed.ok() && (parsed->is_number() || parsed->is_boolean())) return *parsed;
    return text;
}

std::string attributes_of(const DeviceOptions& options) {
    Json all = Json::object();
    if (!options.app_version.empty()) all["app_version"] = options.app_version;
    for (const std::string& text : options.attributes) {
        const std::size_t equals = text.find('=');
        all[text.substr(0, equals)] = attribute_value(text.substr(equals + 1));
    }
    return all.empty() ? "" : json_text(all);
}

Result<std::string> token_of(const DeviceOptions& options) {
    if (options.report_token_file.empty()) return options.report_token;
    std::string token = TRY(read_file(options.report_token_file, 4096));
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' '))
        token.pop_back();
    return token;
}

class FilesNetwork final : public host::Network {
 public:
    host::NetworkState network() override {
        return {.online = {true, "only file:// is read"},
                .metered = {false, "only file:// is read"}};
    }
};

}  // namespace

void add_store_options(CLI::App& verb, DeviceOptions& options) {
    verb.add_option("--data", options.data, "DIR: the store of this device")->required();
    verb.add_option("--model", options.model, "NAME of the model");
    verb.add_option("--bundled", options.bundled,
                    "FILE.tflite (or an AutoML manifest.json) that the app brings")
        ->check(CLI::ExistingFile);
    verb.add_option("--app-version", options.app_version, "for targeting, e.g. 3.2.0");
    verb.add_option("--attribute", options.attributes, "NAME=VALUE, for targeting")
        ->check(check_attribute)
        ->allow_extra_args(false);
}

void add_source_options(CLI::App& verb, DeviceOptions& options) {
    verb.add_option(
            "--url", options.urls,
            "where the project lives: https://host/p/demo, file:///media/usb; again: mirrors")
        ->allow_extra_args(false);
    verb.add_option("--root", options.root, "FILE: the project's root.json")
        ->check(CLI::ExistingFile);
    CLI::Option* token =
        verb.add_option("--report-token", options.report_token, "send reports, with this token");
    verb.add_option("--report-token-file", options.report_token_file, "FILE that holds it")
        ->check(CLI::ExistingFile)
        ->excludes(token);
}

void add_condition_options(CLI::App& verb, DeviceOptions& options) {
    device::DownloadConditions& c = options.conditions;
    verb.add_flag("--wifi", c.wifi, "fetch only where the network is not metered");
    verb.add_flag("--charging", c.charging, "fetch only while charging");
    verb.add_flag("--idle", c.idle, "fetch only while nobody uses the device");
    verb.add_option("--min-battery", c.min_battery_percent, "PERCENT: fetch only above")
        ->check(CLI::Range(0, 100));
    verb.add_option("--between", options.between, "02:00-05:00: fetch only then, device time")
        ->check(check_window);
    verb.add_option("--metered-mb", options.metered_mb,
                    "N: what a metered network may carry in a month, in MB (0: nothing)")
        ->check(CLI::Range(0, 1'000'000));
    verb.add_option("--deadline", options.deadline_s,
                    "SECONDS to wait for the conditions (0: not at all)")
        ->check(CLI::Range(0, 366 * 24 * 3600));
}

void add_fact_options(CLI::App& verb, DeviceOptions& options) {
    verb.add_option("--network", options.network, "metered, wifi or offline, whatever is true")
        ->check(check_network_fact);
    verb.add_option("--power", options.power, "charging or battery:PERCENT, whatever is true")
        ->check(check_power_fact);
}

bool only_files(const std::vector<std::string>& urls) {
    return !urls.empty() && std::ranges::all_of(urls, [](const std::string& url) {
        return url.starts_with("file://");
    });
}

host::Host host_of(const DeviceOptions& options) {
    host::Host host = host::system_host();
    if (only_files(options.urls)) host.network = std::make_shared<FilesNetwork>();
    state_facts(host, options.network, options.power);
    return host;
}

Result<device::DownloadConditions> conditions_of(const DeviceOptions& options) {
    device::DownloadConditions conditions = options.conditions;
    if (!options.between.empty()) conditions.between = TRY(read_window(options.between));
    if (options.metered_mb) conditions.metered_bytes_per_month = *options.metered_mb * 1'000'000;
    conditions.deadline = std::chrono::seconds(options.deadline_s);
    return conditions;
}

Result<OpenDevice> open_device(const DeviceOptions& options, std::chrono::seconds check_every) {
    for (const auto& [file, whose] : {std::pair("/skiff.json", "a publisher's project"),
                                      std::pair("/server.db", "a server's data")})
        if (file_exists(options.data + file))
            return error(Code::invalid_argument, "--data " + options.data + " is " + whose +
                                                     ": give the device a folder of its own");
    device::ClientOptions client;
    client.urls = options.urls;
    if (!options.root.empty()) client.root = TRY(read_file(options.root));
    client.data_dir = options.data;
    client.report_token = TRY(token_of(options));
    client.check_every = check_every;
    client.host = host_of(options);
    client.attributes = attributes_of(options);
    OpenDevice device;
    device.client = TRY(device::Client::create(std::move(client)));
    if (options.model.empty()) return device;
    device::ModelOptions model;
    if (!options.bundled.empty())
        model.bundled = device::LocalModel{.path = options.bundled,
                                           .is_manifest = options.bundled.ends_with(".json")};
    model.type = check_every.count() > 0 ? device::DownloadType::local_model_update_in_background
                                         : device::DownloadType::local_model;
    model.conditions = TRY(conditions_of(options));
    model.conditions.deadline.reset();  // in the background there is none
    device.model = TRY(device.client->model(options.model, std::move(model)));
    return device;
}

Status need_source(const DeviceOptions& options) {
    if (options.model.empty())
        return error(Code::invalid_argument, "no model is named (give --model NAME)");
    if (options.urls.empty())
        return error(Code::invalid_argument, "nowhere to fetch from (give --url URL)");
    if (options.root.empty())
        return error(
            Code::invalid_argument,
            "nothing to check signatures with (give --root FILE, the project's root.json)");
    return {};
}

}  // namespace skiff::cli
