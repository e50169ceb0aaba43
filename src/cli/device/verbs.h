// The verbs of `skiff device`, one file each.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/session.h"

namespace skiff::cli {

void add_device_run(CLI::App& device, Session& session);
void add_device_update(CLI::App& device, Session& session);   // conditions hold it back
void add_device_install(CLI::App& device, Session& session);  // nothing does
void add_device_status(CLI::App& device, Session& session);
void add_device_agent(CLI::App& device, Session& session);

}  // namespace skiff::cli
