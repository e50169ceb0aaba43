#include "cli/commands.h"
#include "cli/device/verbs.h"

namespace skiff::cli {

void add_device(CLI::App& app, Session& session) {
    CLI::App* device =
        app.add_subcommand("device", "The device library as a program, over a store of its own");
    device->require_subcommand(1);
    device->fallthrough();
    add_device_run(*device, session);
    add_device_update(*device, session);
    add_device_install(*device, session);
    add_device_status(*device, session);
    add_device_agent(*device, session);
}

}  // namespace skiff::cli
