// Which address of a configuration belongs to what, and where it is reachable.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "hawser/model/configuration.h"
#include "hawser/model/document.h"

namespace hawser::model {

// Who claimed an address, for "already used by port "uplink" at line 3".
struct Claim {
  std::string what;  // `an own address of port "uplink"`
  Place place;
};

// IPv4 before IPv6, then by bytes.
struct AddressOrder {
  bool operator()(const net::IpAddress& a, const net::IpAddress& b) const noexcept {
    return std::tie(a.family, a.bytes) < std::tie(b.family, b.bytes);
  }
};

using Claims = std::map<net::IpAddress, Claim, AddressOrder>;

// Whether the address lies in a network of a port.
[[nodiscard]] bool on_link(const Configuration& configuration, const net::IpAddress& address);

// Whether a port has a gateway of the family.
[[nodiscard]] bool has_gateway(const Configuration& configuration, net::Family family);

// Whether a port has a NAT address of the family.
[[nodiscard]] bool has_nat_address(const Configuration& configuration, net::Family family);

[[nodiscard]] std::string_view family_name(net::Family family) noexcept;

}  // namespace hawser::model
