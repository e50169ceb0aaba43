#include "host/host.h"
#include "host/std_clock.h"

namespace skiff::host {

Host system_host() {
    return {.clock = std_clock(), .http = nullptr, .power = nullptr, .network = nullptr};
}

}  // namespace skiff::host
