// Checks of processes, sockets and ports that look at more than one value.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "hawser/model/address_plan.h"
#include "hawser/model/validation.h"

namespace hawser::model {
namespace {

using Seen = std::map<std::string, Place>;

void check_cores(const Dataplane& dataplane, const Sources& sources, Diagnostics& diagnostics) {
  const Node* table = sources.root->find("dataplane");
  const Node* workers = table == nullptr ? nullptr : table->find("workers");
  if (workers != nullptr && diagnostics.usable(workers) && dataplane.workers.empty()) {
    diagnostics.add(*workers, "[dataplane]: workers is empty; name at least one core");
  }
  std::set<std::uint32_t> taken;
  for (std::size_t i = 0; i < dataplane.workers.size(); ++i) {
    const Node* item =
        workers == nullptr || workers->items.size() <= i ? nullptr : &workers->items[i];
    if (item != nullptr && !diagnostics.usable(item)) continue;
    const std::uint32_t core = dataplane.workers[i];
    // Where only main_core is written, it is main_core that collides with the default worker.
    const Node* at = item != nullptr ? item : table == nullptr ? nullptr : table->find("main_core");
    if (core == dataplane.main_core && diagnostics.usable(at)) {
      diagnostics.add(*at, fmt::format("[dataplane]: core {} is the main core and a worker's; give "
                                       "each its own",
                                       core));
    } else if (!taken.insert(core).second && item != nullptr) {
      diagnostics.add(*item, fmt::format("[dataplane]: core {} is listed twice in workers", core));
    }
  }
}

void check_sockets(const Configuration& configuration, const Sources& sources,
                   Diagnostics& diagnostics) {
  if (configuration.dataplane.socket != configuration.control.socket) return;
  for (const char* name : {"control", "dataplane"}) {
    const Node* table = sources.root->find(name);
    const Node* socket = table == nullptr ? nullptr : table->find("socket");
    if (!diagnostics.usable(socket)) continue;
    diagnostics.add(*socket, fmt::format("[{}]: socket \"{}\" is also the socket of the other "
                                         "daemon; give each its own",
                                         name, socket->text));
    return;
  }
}

// A text that no other port may have.
void check_unique(const Node& port, const std::string& where, const std::string& key,
                  const std::string& value, Seen& seen, Diagnostics& diagnostics) {
  const Node* node = port.find(key);
  if (value.empty() || (node != nullptr && !diagnostics.usable(node))) return;
  const Place place = node != nullptr ? node->place : port.place;
  const auto [first, inserted] = seen.emplace(value, place);
  if (inserted) return;
  const std::string message = fmt::format("{}: {} \"{}\" is already used at line {}", where, key,
                                          value, first->second.line);
  if (node != nullptr) {
    diagnostics.add(*node, message);
  } else {
    diagnostics.add(place, message);
  }
}

class PortCheck {
 public:
  PortCheck(const Port& port, const Node& table, std::size_t index, Claims& claims,
            Diagnostics& diagnostics)
      : port_(port),
        table_(table),
        where_(label("port", port.name, index)),
        claims_(claims),
        diagnostics_(diagnostics) {}

  void check_texts(Seen& names, Seen& devices, Seen& taps) {
    check_unique(table_, where_, "name", port_.name, names, diagnostics_);
    check_device(devices);
    check_unique(table_, where_, "tap", port_.tap, taps, diagnostics_);
    const Node* device = table_.find("device");
    if (diagnostics_.usable(device) && port_.device.empty()) {
      complain(*device, "device is empty; write a PCI address or a vdev string");
    }
    const Node* tap = table_.find("tap");
    const bool bad_tap = port_.tap.empty() || port_.tap.find_first_of("/ :") != std::string::npos;
    if (diagnostics_.usable(tap) && bad_tap) {
      complain(*tap, fmt::format("tap \"{}\" cannot be the name of an interface", port_.tap));
    }
  }

  void check_addresses() {
    const Node* list = table_.find("addresses");
    for (std::size_t i = 0; i < port_.addresses.size(); ++i) {
      const Node& item = list->items[i];
      const net::Prefix& own = port_.addresses[i];
      if (!diagnostics_.usable(&item)) continue;
      if (own.length == 0) {
        complain(item, fmt::format("address {} has prefix length 0, which makes the whole world "
                                   "on-link",
                                   net::to_string(own)));
      } else {
        claim(item, own.address, "own address");
      }
    }
  }

  void check_nat_addresses() {
    const Node* list = table_.find("nat_addresses");
    for (std::size_t i = 0; i < port_.nat_addresses.size(); ++i) {
      const Node& item = list->items[i];
      if (diagnostics_.usable(&item)) claim(item, port_.nat_addresses[i], "NAT address");
    }
  }

  void check_gateways() {
    const Node* list = table_.find("gateways");
    std::map<net::Family, Place> first;
    for (std::size_t i = 0; i < port_.gateways.size(); ++i) {
      const Node& item = list->items[i];
      const net::IpAddress& gateway = port_.gateways[i];
      if (!diagnostics_.usable(&item)) continue;
      if (gateway.is_special()) {
        complain(item, fmt::format("gateway {} is a zero, loopback, multicast or broadcast "
                                   "address",
                                   net::to_string(gateway)));
        continue;
      }
      const auto [other, inserted] = first.emplace(gateway.family, item.place);
      if (!inserted) {
        complain(item, fmt::format("gateway {} is the second for {} (the first is at line {}); a "
                                   "port has one a family",
                                   net::to_string(gateway), family_name(gateway.family),
                                   other->second.line));
      } else if (!reaches(gateway)) {
        complain(item, fmt::format("gateway {} is in none of the port's networks; check "
                                   "addresses",
                                   net::to_string(gateway)));
      }
    }
  }

 private:
  // Ports share a device when their VLANs tell their frames apart.
  void check_device(Seen& devices) {
    const Node* device = table_.find("device");
    const Node* vlan = table_.find("vlan");
    const bool judged = diagnostics_.usable(device) && !port_.device.empty() &&
                        (vlan == nullptr || diagnostics_.usable(vlan));
    if (!judged) return;
    const std::string tag = port_.vlan == 0 ? "untagged" : fmt::format("vlan {}", port_.vlan);
    const auto [first, inserted] =
        devices.emplace(fmt::format("{} {}", port_.vlan, port_.device), device->place);
    if (inserted) return;
    complain(vlan == nullptr ? *device : *vlan,
             fmt::format("device \"{}\" is already used at line {}, {} too; give one of the ports "
                         "another vlan or device",
                         port_.device, first->second.line, tag));
  }

  void complain(const Node& node, const std::string& message) {
    diagnostics_.add(node, where_ + ": " + message);
  }

  [[nodiscard]] bool reaches(const net::IpAddress& gateway) const {
    if (!gateway.is_ipv4() && gateway.v6().is_link_local()) return true;
    return std::any_of(port_.addresses.begin(), port_.addresses.end(),
                       [&](const net::Prefix& own) { return own.contains(gateway); });
  }

  void claim(const Node& item, const net::IpAddress& address, const char* role) {
    if (address.is_special()) {
      complain(item, fmt::format("{} {} is a zero, loopback, multicast or broadcast address", role,
                                 net::to_string(address)));
      return;
    }
    const auto [first, inserted] =
        claims_.emplace(address, Claim{fmt::format("{} of {}", role, where_), item.place});
    if (inserted) return;
    complain(item, fmt::format("{} {} is already the {} (line {})", role, net::to_string(address),
                               first->second.what, first->second.place.line));
  }

  const Port& port_;
  const Node& table_;
  std::string where_;
  Claims& claims_;
  Diagnostics& diagnostics_;
};

void check_counts(const Configuration& configuration, const Sources& sources,
                  Diagnostics& diagnostics) {
  if (sources.ports.empty() && sources.root->find("port") == nullptr) {
    diagnostics.add(Place{}, "there is no port; add a [[port]] with name, device and addresses");
  }
  if (sources.ports.size() > limits::kMaxPorts) {
    diagnostics.add(sources.ports[limits::kMaxPorts]->place,
                    fmt::format("there are {} ports, must be at most {}", sources.ports.size(),
                                limits::kMaxPorts));
  }
  std::size_t nat_addresses = 0;
  for (const Port& port : configuration.ports) nat_addresses += port.nat_addresses.size();
  if (nat_addresses > limits::kMaxNatAddresses) {
    diagnostics.add(sources.ports.back()->place,
                    fmt::format("there are {} nat_addresses over all ports, must be at most {}",
                                nat_addresses, limits::kMaxNatAddresses));
  }
}

}  // namespace

Claims validate_ports(const Configuration& configuration, const Sources& sources,
                      Diagnostics& diagnostics) {
  check_cores(configuration.dataplane, sources, diagnostics);
  check_sockets(configuration, sources, diagnostics);
  check_counts(configuration, sources, diagnostics);
  Seen names;
  Seen devices;
  Seen taps;
  Claims claims;
  std::vector<PortCheck> checks;
  checks.reserve(configuration.ports.size());
  for (std::size_t i = 0; i < configuration.ports.size(); ++i) {
    checks.emplace_back(configuration.ports[i], *sources.ports[i], i, claims, diagnostics);
    checks.back().check_texts(names, devices, taps);
    checks.back().check_addresses();
    checks.back().check_gateways();
  }
  for (PortCheck& check : checks) check.check_nat_addresses();
  return claims;
}

}  // namespace hawser::model
