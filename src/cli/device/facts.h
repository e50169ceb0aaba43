// Facts about network and power as the command line states them, in place of the system's: for
// demonstrations and tests.
#pragma once

#include <string>

#include "host/host.h"

namespace skiff::cli {

// "wifi", "metered", "offline"; "" when it is one of them, else what is wrong: for option parsers.
std::string check_network_fact(const std::string& text);
// "charging", "battery:54" (and not charging).
std::string check_power_fact(const std::string& text);

// Puts the facts into `host`; empty texts change nothing. Offline, http and https URLs cannot be
// reached either.
void state_facts(host::Host& host, const std::string& network, const std::string& power);

}  // namespace skiff::cli
