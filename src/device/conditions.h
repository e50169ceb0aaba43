// Whether a download may run now, from the facts that the host gives. Pure but for asking the host.
#pragma once

#include <string>

#include "device/types.h"
#include "host/host.h"

namespace skiff::device {

struct Permission {
    bool allowed = false;
    bool metered = false;  // when allowed: what is carried counts against the metered allowance
    // One line, with the sources of the facts. Not allowed: all that is waited for ("waits for
    // wifi: this network is metered (NetworkManager)"). Allowed: how what was asked for was found.
    std::string why = {};
};

// `bytes`: what the download still needs. `metered_used`: what a metered network carried this
// month. A fact that the system cannot tell does not hold a download back: `wifi` waits only on a
// network that is known to be metered. Being known offline always holds it back.
Permission permission(const DownloadConditions& conditions, host::Host& host, std::uint64_t bytes,
                      std::uint64_t metered_used);

}  // namespace skiff::device
