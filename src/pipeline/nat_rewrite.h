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
// sent as all ones. `transport`: where its header lies.
inline void update_transport_checksum(std::uint8_t* transport, std::uint8_t protocol,
                                      const net::ChecksumDelta& delta) noexcept {
  const bool tcp = protocol == net::kProtocolTcp;
  std::uint8_t* const at =
      transport + (tcp ? offsetof(net::TcpHeader, checksum) : offsetof(net::UdpHeader, checksum));
  const auto before = load<net::Big16>(at);
  if (!tcp && before == net::Big16()) return;
  net::Big16 after = delta.apply(before);
  if (!tcp && after == net::Big16()) after = net::Big16(0xffff);
  store(at, after);
}
inline void update_transport_checksum(Packet& packet, const net::ChecksumDelta& delta) noexcept {
  update_transport_checksum(packet.data + packet.l4_offset, packet.protocol, delta);
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
    std::uint8_t& ttl = ip[offsetof(net::Ipv4Header, ttl)];
    if (ttl <= 1) return false;
    --ttl;
    header.lessen(net::Big16(0x100));  // its word is TTL, protocol
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
inline void translate_transport(std::uint8_t* transport, std::uint8_t protocol,
                                const Translation<Address>& to,
                                net::ChecksumDelta& delta) noexcept {
  const auto before = load<std::uint32_t>(transport);
  const std::uint32_t after = to.source_port.raw() | std::uint32_t{to.destination_port.raw()} << 16;
  static_assert(offsetof(TransportPorts, destination) == 2);
  delta.change(net::Big32::from_raw(before), net::Big32::from_raw(after));
  store(transport, after);
  update_transport_checksum(transport, protocol, delta);
}

// Applies `to` and takes one hop. False, and nothing changed, when the TTL is used up. `transport`
// is null for a later fragment, of which only the IP header is touched: the first carries the ports
// and the checksum of all.
template <typename Traits>
[[nodiscard]] bool translate(std::uint8_t* ip, std::uint8_t* transport, std::uint8_t protocol,
                             const Translation<typename Traits::Address>& to) noexcept {
  using Address = typename Traits::Address;
  std::uint8_t* const source = ip + offsetof(typename Traits::Header, source);
  std::uint8_t* const destination = ip + offsetof(typename Traits::Header, destination);
  net::ChecksumDelta header;
  if (!take_hop<Traits>(ip, header)) return false;
  net::ChecksumDelta change;
  change.change(load<Address>(source), to.source);
  change.change(load<Address>(destination), to.destination);
  header.add(change);
  store(source, to.source);
  store(destination, to.destination);
  update_header_checksum<Traits>(ip, header);
  if (transport != nullptr) translate_transport(transport, protocol, to, change);
  return true;
}
template <typename Traits>
[[nodiscard]] bool translate(Packet& packet,
                             const Translation<typename Traits::Address>& to) noexcept {
  std::uint8_t* const transport =
      packet.part == Part::kLaterFragment ? nullptr : packet.data + packet.l4_offset;
  return translate<Traits>(packet.data + packet.l3_offset, transport, packet.protocol, to);
}

}  // namespace hawser::pipeline
