// Power and network facts of a Linux system: sysfs and procfs, and D-Bus (NetworkManager, UPower,
// logind) where it answers.
#pragma once

#include <memory>
#include <string>

#include "host/host.h"

namespace skiff::host {

// `root` stands before /sys and /proc, for tests; D-Bus is asked only when it is empty.
std::shared_ptr<Power> linux_power(std::string root = {});
std::shared_ptr<Network> linux_network(std::string root = {});

}  // namespace skiff::host
