// What the device library asks about experiments in a ruleset, beside deciding.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace skiff::device {

// The versions between which an experiment of the model divides devices.
std::vector<std::uint32_t> experiment_versions(const Json& ruleset, const std::string& model,
                                               const std::string& experiment);
// Whether any rule divides devices.
bool has_experiment(const Json& ruleset);

}  // namespace skiff::device
