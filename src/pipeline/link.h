// The link layer of what leaves: MAC addresses, and the VLAN tag of the port it leaves by.
#pragma once

#include "hawser/pipeline/worker_state.h"
#include "headers.h"

namespace hawser::pipeline {

// Writes a new Ethernet header in front of the IP header, with the tag of `port_out` if it has one.
// `data` moves when the tag comes or goes; the padding of a short frame goes.
// `to` is a net::mac_word.
inline void write_link(Packet& packet, std::uint64_t to, const Snapshot& snapshot) noexcept {
  const PortEntry& port = snapshot.ports[packet.port_out.value];
  const net::Big16 type =
      packet.family == net::Family::kIpv4 ? net::kEtherTypeIpv4 : net::kEtherTypeIpv6;
  const bool tagged = port.vlan != 0;
  const auto link =
      static_cast<std::uint8_t>(sizeof(net::EthernetHeader) + (tagged ? sizeof(net::VlanTag) : 0));
  const int shift = link - packet.l3_offset;
  packet.data -= shift;
  packet.l3_offset = link;
  packet.l4_offset = static_cast<std::uint16_t>(packet.l4_offset + shift);
  packet.length = static_cast<std::uint16_t>(packet.length + shift);
  packet.contiguous = static_cast<std::uint16_t>(packet.contiguous + shift);
  packet.capacity = static_cast<std::uint16_t>(packet.capacity + shift);
  net::write_ethernet(packet.data, to, net::mac_word(port.mac),
                      tagged ? net::kEtherTypeVlan : type);
  if (!tagged) return;
  store(packet.data + sizeof(net::EthernetHeader),
        net::VlanTag{.control = net::Big16(port.vlan), .ether_type = type});
}

inline void write_link(Packet& packet, const net::MacAddress& to,
                       const Snapshot& snapshot) noexcept {
  write_link(packet, net::mac_word(to), snapshot);
}

// Puts `bytes` in front of the IP header, room for another; the link header is written anew later.
inline void grow_front(Packet& packet, std::size_t bytes) noexcept {
  const auto by = static_cast<std::uint16_t>(bytes);
  packet.data -= by;
  packet.l4_offset = static_cast<std::uint16_t>(packet.l4_offset + by);
  packet.length = static_cast<std::uint16_t>(packet.length + by);
  packet.contiguous = static_cast<std::uint16_t>(packet.contiguous + by);
  packet.capacity = static_cast<std::uint16_t>(packet.capacity + by);
}

// A client on our link is where its own packets come from. Any other is behind the gateway; as long
// as that is not resolved, behind the router that its packets came through.
[[nodiscard]] inline std::uint64_t mac_towards_client(const table::NatRecord& record,
                                                      net::Family family,
                                                      const Context& context) noexcept {
  const std::uint64_t seen = net::mac_word(record.client_mac);
  if (!record.by_gateway()) return seen;
  const PortEntry& port = context.snapshot.ports[record.client_port_id().value];
  const std::optional<NeighbourId>& gateway = port.gateway(family);
  const std::uint64_t resolved = gateway ? context.neighbours.word(*gateway) : 0;
  return resolved == 0 ? seen : resolved;
}

}  // namespace hawser::pipeline
