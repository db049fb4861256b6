// Which address of a configuration belongs to what, and where it is reachable.
#include "hawser/model/address_plan.h"

#include <algorithm>

namespace hawser::model {

Way way_to(const Configuration& configuration, const net::IpAddress& address) {
  for (const Port& port : configuration.ports) {
    for (const net::Prefix& own : port.addresses) {
      if (own.length > 0 && own.contains(address)) return {&port, false};
    }
  }
  for (const Port& port : configuration.ports) {
    for (const net::IpAddress& gateway : port.gateways) {
      if (gateway.family == address.family && !gateway.is_special()) return {&port, true};
    }
  }
  return {};
}

bool has_own_address(const Port& port, net::Family family) {
  return std::any_of(port.addresses.begin(), port.addresses.end(),
                     [&](const net::Prefix& own) { return own.address.family == family; });
}

bool has_nat_address(const Port& port, net::Family family) {
  return std::any_of(port.nat_addresses.begin(), port.nat_addresses.end(),
                     [&](const net::IpAddress& address) {
                       return address.family == family && !address.is_special();
                     });
}

bool has_nat_address(const Configuration& configuration, net::Family family) {
  return std::any_of(configuration.ports.begin(), configuration.ports.end(),
                     [&](const Port& port) { return has_nat_address(port, family); });
}

std::string_view family_name(net::Family family) noexcept {
  return family == net::Family::kIpv4 ? "IPv4" : "IPv6";
}

}  // namespace hawser::model
