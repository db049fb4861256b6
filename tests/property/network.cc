// Two ports, one with gateways; backends on either link and behind the gateway; twelve services.
#include "network.h"

#include "hawser/base/contract.h"

namespace hawser::property {
namespace {

net::IpAddress address(const std::string& text) {
  return net::parse_address(text).value();
}
net::Prefix prefix(const std::string& text) {
  return net::parse_prefix(text).value();
}
net::MacAddress mac(std::uint8_t kind, std::size_t number) {
  return {{0x02, 0, 0, kind, static_cast<std::uint8_t>(number >> 8U),
           static_cast<std::uint8_t>(number)}};
}

std::vector<pipeline::PortSetup> make_ports() {
  return {{.name = "front",
           .mac = mac(0, 1),
           .addresses = {prefix("10.0.0.2/16"), prefix("fd00::2/64")},
           .gateways = {address("10.0.0.1"), address("fd00::1")},
           .nat_addresses = {address("10.0.0.10"), address("10.0.0.11"), address("fd00::10")}},
          {.name = "back",
           .mac = mac(0, 2),
           .addresses = {prefix("10.1.0.2/16"), prefix("fd01::2/64")},
           .gateways = {},
           .nat_addresses = {address("10.1.0.10"), address("fd01::10")}}};
}

// Candidate 0 is on the first port's link, 1 and 2 on the second's, 3 behind the gateway.
std::vector<Candidate> make_candidates(std::size_t offer, bool ipv4, std::uint16_t port) {
  constexpr std::array<std::string_view, 4> kNetworks{"0", "1", "1", "9"};
  std::vector<Candidate> candidates;
  for (std::size_t c = 0; c < kNetworks.size(); ++c) {
    Candidate candidate{.name = "b" + std::to_string(c + 1), .addresses = {}, .port = port};
    if (c % 2 == 1) candidate.port = static_cast<std::uint16_t>(8000 + port + c);
    for (std::size_t variant = 0; variant < 4; ++variant) {
      const std::string network(kNetworks[c]);
      const std::string host = std::to_string(10 + offer * 10 + c * 2 + variant % 2);
      candidate.addresses[variant] = address(
          ipv4 == (variant < 2) ? "10." + network + ".1." + host : "fd0" + network + "::1:" + host);
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

std::vector<Offer> make_offers() {
  using enum model::Protocol;
  using enum model::Forward;
  struct Row {
    std::string name;
    std::string host;
    std::uint16_t port;
    model::Protocol protocol;
    model::Forward forward;
  };
  const std::vector<Row> rows{
      {"web", "1", 80, kTcp, kNat},      {"shop", "1", 443, kTcp, kNat},
      {"direct", "2", 80, kTcp, kDsrL2}, {"video", "2", 443, kTcp, kDsrIpip},
      {"names", "3", 53, kUdp, kNat},    {"game", "3", 443, kUdp, kDsrGue}};
  std::vector<Offer> offers;
  for (const bool ipv4 : {true, false}) {
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const Row& row = rows[r];
      offers.push_back({.name = row.name + (ipv4 ? "4" : "6"),
                        .address = address((ipv4 ? "10.77.0." : "fd77::") + row.host),
                        .port = row.port,
                        .protocol = row.protocol,
                        .forward = row.forward,
                        .candidates = make_candidates(r, ipv4, row.port)});
    }
  }
  return offers;
}

// Eight kinds: of either family, on either port, on the link or beyond.
Client make_client(std::size_t number) {
  constexpr std::array<std::string_view, 8> kNetworks{"10.0.5.",     "fd00::5:",    "192.0.2.",
                                                      "2001:db8::",  "10.1.5.",     "fd01::5:",
                                                      "198.51.100.", "2001:db8:1::"};
  const std::size_t kind = number % kNetworks.size();
  return {.address = address(std::string(kNetworks[kind]) +
                             std::to_string(1 + number / kNetworks.size() % 250)),
          .port = PortId(kind < 4 ? 0 : 1),
          .mac = mac(0xc0, number)};
}

}  // namespace

bool Network::is_on_link(PortId port, const net::IpAddress& address) const {
  for (const net::Prefix& network : ports[port.value].addresses) {
    if (network.contains(address)) return true;
  }
  return false;
}

const net::IpAddress* Network::gateway(PortId port, net::Family family) const {
  for (const net::IpAddress& gateway : ports[port.value].gateways) {
    if (gateway.family == family) return &gateway;
  }
  return nullptr;
}

NeighbourTarget Network::next_hop(const net::IpAddress& address) const {
  for (std::uint16_t port = 0; port < ports.size(); ++port) {
    if (is_on_link(PortId(port), address)) return {PortId(port), address};
  }
  for (std::uint16_t port = 0; port < ports.size(); ++port) {
    const net::IpAddress* found = gateway(PortId(port), address.family);
    if (found != nullptr) return {PortId(port), *found};
  }
  contract_broken("every backend can be reached", __FILE__, __LINE__);
}

std::vector<std::uint8_t> Network::nat_slots(PortId port, net::Family family) const {
  std::vector<std::uint8_t> slots;
  for (std::size_t slot = 0; slot < nat_addresses.size(); ++slot) {
    if (nat_addresses[slot].family != family) continue;
    for (const net::IpAddress& own : ports[port.value].nat_addresses) {
      if (own == nat_addresses[slot]) slots.push_back(static_cast<std::uint8_t>(slot));
    }
  }
  return slots;
}

Network make_network(std::size_t clients) {
  Network network{
      .ports = make_ports(), .nat_addresses = {}, .offers = make_offers(), .clients = {}};
  for (const pipeline::PortSetup& port : network.ports) {
    network.nat_addresses.insert(network.nat_addresses.end(), port.nat_addresses.begin(),
                                 port.nat_addresses.end());
  }
  for (std::size_t i = 0; i < clients; ++i) network.clients.push_back(make_client(i));
  return network;
}

}  // namespace hawser::property
