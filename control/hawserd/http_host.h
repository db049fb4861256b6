// Which names a request may call this server by: keeps other people's pages in a browser from
// reading it under a name of theirs (DNS rebinding).
#pragma once

#include <string_view>

#include "hawser/net/address.h"

namespace hawser::control {

// `host` is the Host field (RFC 9110 section 7.2) of a request to a server that listens on
// `listening`. Good are `localhost`, loopback addresses and the listening address, each with any
// port, as a tunnel may have another; where it listens on every address, any address. A name is
// what an attacker can have resolved at will, an address is not.
[[nodiscard]] bool host_is_ours(std::string_view host, const net::IpAddress& listening);

}  // namespace hawser::control
