// Translating an ICMP error together with the packet it quotes (RFC 5508 section 4.2): whoever gets
// it must recognise the packet as his own.
#pragma once

#include "hawser/net/ipv6_chain.h"
#include "nat_rewrite.h"

namespace hawser::pipeline {

// What the quoted header's new addresses do to its own checksum, and both to that of the message.
inline void change_ip_checksum(net::Ipv4Header& quoted, const net::ChecksumDelta& addresses,
                               net::ChecksumDelta& message) noexcept {
  const net::Big16 before = quoted.checksum;
  quoted.checksum = addresses.apply(before);
  message.add(addresses);
  message.change(before, quoted.checksum);
}
inline void change_ip_checksum(net::Ipv6Header&, const net::ChecksumDelta& addresses,
                               net::ChecksumDelta& message) noexcept {
  message.add(addresses);
}

// Bytes from the quoted packet's begin to its transport header; handle_icmp has seen them.
[[nodiscard]] inline std::size_t quoted_header_length(const Packet&,
                                                      const net::Ipv4Header& quoted) noexcept {
  return quoted.header_length();
}
[[nodiscard]] inline std::size_t quoted_header_length(const Packet& packet,
                                                      const net::Ipv6Header& quoted) noexcept {
  const std::size_t begin = quote_offset(packet) + sizeof(quoted);
  const std::size_t end = std::size_t{packet.l4_offset} + packet.l4_length;
  return sizeof(quoted) +
         net::walk_chain(quoted.next_header, {packet.data + begin, end - begin}).length;
}

// Ports of the quoted packet, and its transport checksum where the quote reaches that far.
inline void change_quoted_transport(std::uint8_t* at, const std::uint8_t* end,
                                    std::uint8_t protocol, TransportPorts ports,
                                    net::ChecksumDelta covered,
                                    net::ChecksumDelta& message) noexcept {
  const auto before = load<TransportPorts>(at);
  for (net::ChecksumDelta* delta : {&covered, &message}) {
    delta->change(before.source, ports.source);
    delta->change(before.destination, ports.destination);
  }
  store(at, ports);
  const bool tcp = protocol == net::kProtocolTcp;
  std::uint8_t* const sum_at =
      at + (tcp ? offsetof(net::TcpHeader, checksum) : offsetof(net::UdpHeader, checksum));
  if (sum_at + sizeof(net::Big16) > end) return;
  const auto sum = load<net::Big16>(sum_at);
  if (!tcp && sum == net::Big16()) return;
  net::Big16 changed = covered.apply(sum);
  if (!tcp && changed == net::Big16()) changed = net::Big16(0xffff);
  message.change(sum, changed);
  store(sum_at, changed);
}

// Applies `to` to the outer header, and turned round to the quoted packet; takes one hop. The error
// comes from `to.source` then: its way back to whoever found the trouble is not ours to open.
// False, and nothing changed, when the TTL is used up. The packet has passed handle_icmp.
template <typename Traits>
[[nodiscard]] bool translate_quote(Packet& packet,
                                   const Translation<typename Traits::Address>& to) noexcept {
  using Header = typename Traits::Header;
  std::uint8_t* const at = packet.data + packet.l3_offset;
  net::ChecksumDelta outer;
  if (!take_hop<Traits>(at, outer)) return false;
  auto ip = load<Header>(at);
  net::ChecksumDelta icmp;  // covers the quoted packet, and the pseudo-header of ICMPv6
  const auto change_ip = [](Header& header, const auto& source, const auto& destination,
                            net::ChecksumDelta& delta) {
    delta.change(header.source, source);
    delta.change(header.destination, destination);
    header.source = source;
    header.destination = destination;
  };
  change_ip(ip, to.source, to.destination, outer);
  if constexpr (Traits::kFamily == net::Family::kIpv6) icmp = outer;
  store(at, ip);
  update_header_checksum<Traits>(at, outer);

  std::uint8_t* const quote = packet.data + quote_offset(packet);
  auto quoted = load<Header>(quote);
  net::ChecksumDelta addresses;
  change_ip(quoted, to.destination, to.source, addresses);
  change_ip_checksum(quoted, addresses, icmp);
  store(quote, quoted);
  const std::size_t end = std::size_t{packet.l4_offset} + packet.l4_length;
  change_quoted_transport(
      quote + quoted_header_length(packet, quoted), packet.data + end, packet.protocol,
      TransportPorts{.source = to.destination_port, .destination = to.source_port}, addresses,
      icmp);
  auto header = load<net::IcmpHeader>(packet.data + packet.l4_offset);
  header.checksum = icmp.apply(header.checksum);
  store(packet.data + packet.l4_offset, header);
  return true;
}

}  // namespace hawser::pipeline
