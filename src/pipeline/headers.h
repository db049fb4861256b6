// What several stages read from and write to a packet's headers.
#pragma once

#include <cstddef>

#include "hawser/base/bytes.h"
#include "hawser/net/address.h"
#include "hawser/net/endian.h"
#include "hawser/net/ethernet.h"
#include "hawser/net/icmp.h"
#include "hawser/net/ipv4.h"
#include "hawser/net/ipv6.h"
#include "hawser/net/tcp.h"
#include "hawser/net/udp.h"
#include "hawser/pipeline/packet.h"
#include "hawser/table/service_table.h"

namespace hawser::pipeline {

// The two families, as the stages that treat them alike need them.
struct Ipv4Traits {
  using Header = net::Ipv4Header;
  using Address = net::Ipv4Address;
  static constexpr net::Family kFamily = net::Family::kIpv4;
};
struct Ipv6Traits {
  using Header = net::Ipv6Header;
  using Address = net::Ipv6Address;
  static constexpr net::Family kFamily = net::Family::kIpv6;
};

template <typename Traits>
[[nodiscard]] inline typename Traits::Address source_address(const Packet& packet) noexcept {
  return load<typename Traits::Address>(packet.data + packet.l3_offset +
                                        offsetof(typename Traits::Header, source));
}
template <typename Traits>
[[nodiscard]] inline typename Traits::Address destination_address(const Packet& packet) noexcept {
  return load<typename Traits::Address>(packet.data + packet.l3_offset +
                                        offsetof(typename Traits::Header, destination));
}
[[nodiscard]] inline net::IpAddress destination(const Packet& packet) noexcept {
  if (packet.family == net::Family::kIpv4) return destination_address<Ipv4Traits>(packet);
  return destination_address<Ipv6Traits>(packet);
}

// Where the packet begins that an ICMP error quotes, from `data`.
[[nodiscard]] inline std::size_t quote_offset(const Packet& packet) noexcept {
  return packet.l4_offset + sizeof(net::IcmpHeader);
}

// Who is at the other end of the flow: the sender, or whom the quoted packet was for.
template <typename Traits>
[[nodiscard]] inline typename Traits::Address peer_address(const Packet& packet) noexcept {
  if (packet.part != Part::kQuoted) [[likely]]
    return source_address<Traits>(packet);
  return load<typename Traits::Address>(packet.data + quote_offset(packet) +
                                        offsetof(typename Traits::Header, destination));
}

// Bytes of the IP packet, without the padding that Ethernet may add.
[[nodiscard]] inline std::size_t l3_length(const Packet& packet) noexcept {
  return std::size_t{packet.l4_offset} - packet.l3_offset + packet.l4_length;
}

[[nodiscard]] inline bool has_ports(const Packet& packet) noexcept {
  return packet.protocol == net::kProtocolTcp || packet.protocol == net::kProtocolUdp;
}

// The first packet of a TCP connection.
[[nodiscard]] inline bool is_pure_syn(const Packet& packet) noexcept {
  return packet.protocol == net::kProtocolTcp &&
         (packet.tcp_flags & (net::kTcpSyn | net::kTcpAck)) == net::kTcpSyn;
}

// For a service or a NAT address. What is for own addresses is the kernel's.
[[nodiscard]] inline bool is_for_flows(const Packet& packet, const table::Addresses& all) noexcept {
  const table::AddressEntry* entry = all.find({destination(packet)});
  return entry != nullptr && entry->role != table::AddressRole::kOwn;
}

// A reset may answer it: a whole TCP segment that is none itself.
[[nodiscard]] inline bool can_be_reset(const Packet& packet) noexcept {
  return packet.part == Part::kWhole && packet.protocol == net::kProtocolTcp &&
         (packet.tcp_flags & net::kTcpRst) == 0;
}

// Writes the frame's two addresses over: what came goes back where it came from.
inline void turn_round(Packet& packet, const net::MacAddress& own) noexcept {
  auto ethernet = load<net::EthernetHeader>(packet.data);
  ethernet.destination = ethernet.source;
  ethernet.source = own;
  store(packet.data, ethernet);
  packet.port_out = packet.port_in;
}

}  // namespace hawser::pipeline
