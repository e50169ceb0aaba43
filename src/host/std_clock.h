#pragma once

#include <memory>

#include "host/host.h"

namespace skiff::host {

// The C++ library's clocks: the same on every system.
std::shared_ptr<Clock> std_clock();

}  // namespace skiff::host
