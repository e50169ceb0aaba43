// What all verbs of `skiff device` share: the options, and the client that they describe.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "device/client.h"

namespace skiff::cli {

struct DeviceOptions {
    std::string data, root, model, bundled, between, report_token, report_token_file, app_version;
    std::vector<std::string> urls, attributes;
    device::DownloadConditions conditions = {};
    std::optional<std::uint64_t> metered_mb;
    std::int64_t deadline_s = 0;
    std::string network, power;  // facts.h
};

void add_store_options(CLI::App& verb, DeviceOptions& options);   // --data, --model, --bundled, ...
void add_source_options(CLI::App& verb, DeviceOptions& options);  // --url, --root, --report-token
void add_condition_options(CLI::App& verb, DeviceOptions& options);  // --wifi, ..., --deadline
void add_fact_options(CLI::App& verb, DeviceOptions& options);       // --network, --power

bool only_files(const std::vector<std::string>& urls);  // file://, all of them

// The system's host with the facts of the options. What only reads files is online and free.
host::Host host_of(const DeviceOptions& options);

// --deadline counts from now, 0: what cannot run now is put off at once.
Result<device::DownloadConditions> conditions_of(const DeviceOptions& options);

struct OpenDevice {
    std::shared_ptr<device::Client> client;
    std::shared_ptr<device::Model> model;  // null when the options name none
};
// Nothing is fetched in the background unless `check_every` is above 0.
Result<OpenDevice> open_device(const DeviceOptions& options,
                               std::chrono::seconds check_every = std::chrono::seconds(0));

// For update, install and agent: what they cannot do without.
Status need_source(const DeviceOptions& options);

}  // namespace skiff::cli
