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

// Headers are changed where they lie, field by field: a copy that is changed and written back is
// read in wider pieces than it was written, and each such read waits for the stores.

// TTL of IPv4, hop limit of IPv6: one less, since NAT and tunnels are hops. False when it is used
// up. `header` delta gets the change of the word that holds it (IPv4 only).
template <typename Traits>
[[nodiscard]] bool take_hop(std::uint8_t* ip, net::ChecksumDelta& header) noexcept {
  if constexpr (Traits::kFamily == net::Family::kIpv6) {
    std::uint8_t& limit = ip[offsetof(net::Ipv6Header, hop_limit)];
    if (limit <= 1) return false;
    --limit;
  } else {
    constexpr std::size_t kTtl = offsetof(net::Ipv4Header, ttl);  // its word: TTL, protocol
    if (ip[kTtl] <= 1) return false;
    const auto before = load<net::Big16>(ip + kTtl);
    header.change(before, net::Big16(static_cast<std::uint16_t>(before.host() - 0x100U)));
    --ip[kTtl];
  }
  return true;
}

template <typename Traits>
void update_header_checksum(std::uint8_t* ip, const net::ChecksumDelta& delta) noexcept {
  if constexpr (Traits::kFamily == net::Family::kIpv4) {
    std::uint8_t* const at = ip + offsetof(net::Ipv4Header, checksum);
    store(at, delta.apply(load<net::Big16>(at)));
  }
}

// Applies `to` to ports and transport checksum, whose change by the addresses is in `delta`.
template <typename Address>
inline void translate_transport(Packet& packet, const Translation<Address>& to,
                                net::ChecksumDelta& delta) noexcept {
  std::uint8_t* const source = packet.data + packet.l4_offset;
  std::uint8_t* const destination = source + offsetof(TransportPorts, destination);
  delta.change(load<net::Big16>(source), to.source_port);
  delta.change(load<net::Big16>(destination), to.destination_port);
  store(source, to.source_port);
  store(destination, to.destination_port);
  update_transport_checksum(packet, delta);
}

// Applies `to` and takes one hop. False, and nothing changed, when the TTL is used up. Of a later
// fragment only the IP header is touched: the first carries the ports and the checksum of all.
template <typename Traits>
[[nodiscard]] bool translate(Packet& packet,
                             const Translation<typename Traits::Address>& to) noexcept {
  using Address = typename Traits::Address;
  std::uint8_t* const ip = packet.data + packet.l3_offset;
  std::uint8_t* const source = ip + offsetof(typename Traits::Header, source);
  std::uint8_t* const destination = ip + offsetof(typename Traits::Header, destination);
  net::ChecksumDelta header;
  if (!take_hop<Traits>(ip, header)) return false;
  net::ChecksumDelta transport;
  transport.change(load<Address>(source), to.source);
  transport.change(load<Address>(destination), to.destination);
  header.add(transport);
  store(source, to.source);
  store(destination, to.destination);
  update_header_checksum<Traits>(ip, header);
  if (packet.part != Part::kLaterFragment) translate_transport(packet, to, transport);
  return true;
}

}  // namespace hawser::pipeline
