// Which address of a configuration belongs to what, and where it is reachable.
#include "hawser/model/address_plan.h"

namespace hawser::model {

bool on_link(const Configuration& configuration, const net::IpAddress& address) {
  for (const Port& port : configuration.ports) {
    for (const net::Prefix& own : port.addresses) {
      if (own.length > 0 && own.contains(address)) return true;
    }
  }
  return false;
}

bool has_gateway(const Configuration& configuration, net::Family family) {
  for (const Port& port : configuration.ports) {
    for (const net::IpAddress& gateway : port.gateways) {
      if (gateway.family == family && !gateway.is_special()) return true;
    }
  }
  return false;
}

bool has_nat_address(const Configuration& configuration, net::Family family) {
  for (const Port& port : configuration.ports) {
    for (const net::IpAddress& address : port.nat_addresses) {
      if (address.family == family && !address.is_special()) return true;
    }
  }
  return false;
}

std::string_view family_name(net::Family family) noexcept {
  return family == net::Family::kIpv4 ? "IPv4" : "IPv6";
}

}  // namespace hawser::model
