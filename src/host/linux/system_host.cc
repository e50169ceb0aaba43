#include "host/linux/curl_http.h"
#include "host/linux/facts.h"
#include "host/std_clock.h"

namespace skiff::host {

Host system_host() {
    return {.clock = std_clock(),
            .http = curl_http(),
            .power = linux_power(),
            .network = linux_network()};
}

}  // namespace skiff::host
