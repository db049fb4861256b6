// The network around the balancer: ports, gateways, clients, and all services there may ever be.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "hawser/model/service.h"
#include "hawser/net/address.h"
#include "hawser/pipeline/snapshot_builder.h"

namespace hawser::property {

using pipeline::NeighbourTarget;

// A backend that a service may have. It may be replaced by one of the same name elsewhere.
struct Candidate {
  std::string name;
  std::array<net::IpAddress, 4> addresses;  // the last two of the other family, for tunnels
  std::uint16_t port = 0;                   // with dsr it is that of the service
};

struct Offer {
  std::string name;
  net::IpAddress address;
  std::uint16_t port = 0;
  model::Protocol protocol = model::Protocol::kTcp;
  model::Forward forward = model::Forward::kNat;  // at first
  std::vector<Candidate> candidates;
};

struct Client {
  net::IpAddress address;
  PortId port;  // where its packets usually arrive
  net::MacAddress mac;
};

struct Network {
  std::vector<pipeline::PortSetup> ports;
  std::vector<net::IpAddress> nat_addresses;  // by slot: as the ports name them, in order
  std::vector<Offer> offers;
  std::vector<Client> clients;

  [[nodiscard]] bool is_on_link(PortId port, const net::IpAddress& address) const;
  [[nodiscard]] const net::IpAddress* gateway(PortId port, net::Family family) const;
  // Whom a packet for a backend is handed to: itself, or the first gateway of its family.
  [[nodiscard]] NeighbourTarget next_hop(const net::IpAddress& address) const;
  // Slots of the NAT addresses of a port.
  [[nodiscard]] std::vector<std::uint8_t> nat_slots(PortId port, net::Family family) const;
};

[[nodiscard]] Network make_network(std::size_t clients);

}  // namespace hawser::property
