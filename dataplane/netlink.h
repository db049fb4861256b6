// The one thing asked of the kernel by netlink: an address on an interface.
#pragma once

#include <string>

#include "hawser/base/result.h"
#include "hawser/net/address.h"

namespace hawser::dataplane {

// Gives `interface` this address with its on-link network, usable at once (no duplicate address
// detection: the port answers for it already). Blocks for the kernel's answer.
[[nodiscard]] Result<void> add_address(const std::string& interface, const net::Prefix& address);

}  // namespace hawser::dataplane
