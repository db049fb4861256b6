// Rewriting one packet's addresses and ports, with every checksum that covers them.
#pragma once

#include "hawser/net/checksum.h"
#include "headers.h"

namespace hawser::pipeline {

// The new source and destination of a translated packet.
template <typename Address>
struct Translation {
  Address source;
  net::Big16 source_port;
  Address destination;
  net::Big16 destination_port;
};

// The first word of both transport headers.
struct TransportPorts {
  net::Big16 source;
  net::Big16 destination;
};
static_assert(sizeof(TransportPorts) == 4);

// RFC 1624 for TCP; for UDP also RFC 768: zero means "no checksum" and stays, a computed zero is
// sent as all ones.
inline void update_transport_checksum(Packet& packet, const net::ChecksumDelta& delta) noexcept {
  const bool tcp = packet.protocol == net::kProtocolTcp;
  std::uint8_t* at =
      packet.data + packet.l4_offset +
      (tcp ? offsetof(net::TcpHeader, checksum) : offsetof(net::UdpHeader, checksum));
  const auto before = load<net::Big16>(at);
  if (!tcp && before == net::Big16()) return;
  net::Big16 after = delta.apply(before);
  if (!tcp && after == net::Big16()) after = net::Big16(0xffff);
  store(at, after);
}

// TTL of IPv4, hop limit of IPv6: one less, since NAT is a hop. False when it is used up. `header`
// delta gets the change of the word that holds it (IPv4 only).
[[nodiscard]] inline bool decrement_ttl(net::Ipv4Header& ip, net::ChecksumDelta& header) noexcept {
  if (ip.ttl <= 1) return false;
  const auto word = [&] {
    return net::Big16(static_cast<std::uint16_t>(ip.ttl << 8U | ip.protocol));
  };
  const net::Big16 before = word();
  --ip.ttl;
  header.change(before, word());
  return true;
}
[[nodiscard]] inline bool decrement_ttl(net::Ipv6Header& ip, net::ChecksumDelta&) noexcept {
  if (ip.hop_limit <= 1) return false;
  --ip.hop_limit;
  return true;
}

inline void update_header_checksum(net::Ipv4Header& ip, const net::ChecksumDelta& delta) noexcept {
  ip.checksum = delta.apply(ip.checksum);
}
inline void update_header_checksum(net::Ipv6Header&, const net::ChecksumDelta&) noexcept {}

// Applies `to` to ports and transport checksum, whose change by the addresses is in `delta`.
template <typename Address>
inline void translate_transport(Packet& packet, const Translation<Address>& to,
                                net::ChecksumDelta& delta) noexcept {
  const auto ports = load<TransportPorts>(packet.data + packet.l4_offset);
  delta.change(ports.source, to.source_port);
  delta.change(ports.destination, to.destination_port);
  store(packet.data + packet.l4_offset,
        TransportPorts{.source = to.source_port, .destination = to.destination_port});
  update_transport_checksum(packet, delta);
}

// Applies `to` and takes one hop. False, and nothing changed, when the TTL is used up. Of a later
// fragment only the IP header is touched: the first carries the ports and the checksum of all.
template <typename Traits>
[[nodiscard]] bool translate(Packet& packet,
                             const Translation<typename Traits::Address>& to) noexcept {
  auto ip = load<typename Traits::Header>(packet.data + packet.l3_offset);
  net::ChecksumDelta header;
  if (!decrement_ttl(ip, header)) return false;
  net::ChecksumDelta transport;
  transport.change(ip.source, to.source);
  transport.change(ip.destination, to.destination);
  header.change(ip.source, to.source);
  header.change(ip.destination, to.destination);
  ip.source = to.source;
  ip.destination = to.destination;
  update_header_checksum(ip, header);
  store(packet.data + packet.l3_offset, ip);
  if (packet.part != Part::kLaterFragment) translate_transport(packet, to, transport);
  return true;
}

}  // namespace hawser::pipeline
