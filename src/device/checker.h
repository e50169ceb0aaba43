// A check: is there anything new, for any of the models, and is it signed by whom we trust?
//
// One conditional request when nothing is new. What fails leaves what was known as it was.
#pragma once

#include <string>
#include <vector>

#include "device/core.h"

namespace skiff::device {

// Under the update lock. An error of one model does not keep the others from being read; the first
// one is returned. Errors: those of trust::Client, no_network (retry) also without any HTTP.
Status check(Core& core, const std::vector<std::string>& models);

}  // namespace skiff::device
