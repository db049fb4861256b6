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

// The port over which an address is reached: the first with it in one of its networks, else the
// first with a gateway of its family. So chooses the dataplane too.
struct Way {
  const Port* port = nullptr;  // null: none
  bool by_gateway = false;
};
[[nodiscard]] Way way_to(const Configuration& configuration, const net::IpAddress& address);

// Whether the port has an own address of the family: the source of its tunnel packets.
[[nodiscard]] bool has_own_address(const Port& port, net::Family family);

// Whether a port, or any, has a NAT address of the family.
[[nodiscard]] bool has_nat_address(const Port& port, net::Family family);
[[nodiscard]] bool has_nat_address(const Configuration& configuration, net::Family family);

[[nodiscard]] std::string_view family_name(net::Family family) noexcept;

}  // namespace hawser::model
