// Learns the path MTU of tunnels.
#include "tunnel_error.h"

#include "headers.h"

namespace hawser::pipeline {
namespace {

bool says_too_big(const net::IcmpHeader& icmp, net::Family family) noexcept {
  if (family == net::Family::kIpv6) return icmp.type == net::kIcmpv6PacketTooBig;
  return icmp.type == net::kIcmpUnreachable && icmp.code == net::kIcmpFragmentationNeeded;
}

std::uint32_t mtu_in(const net::IcmpHeader& icmp, net::Family family) noexcept {
  const std::uint32_t rest = icmp.rest.host();
  return family == net::Family::kIpv4 ? rest & 0xffffU : rest;
}

std::uint8_t protocol_of(const net::Ipv4Header& ip) noexcept {
  return ip.protocol;
}
std::uint8_t protocol_of(const net::Ipv6Header& ip) noexcept {
  return ip.next_header;
}

bool is_tunnel_protocol(std::uint8_t protocol) noexcept {
  return protocol == net::kProtocolIpv4 || protocol == net::kProtocolIpv6 ||
         protocol == net::kProtocolUdp;
}

// Nobody may talk us into packets smaller than every host must take (RFC 1122, RFC 8200).
constexpr std::uint32_t least_mtu(net::Family family) noexcept {
  return family == net::Family::kIpv4 ? limits::kIcmpv4ErrorBytes : limits::kMinMtu;
}

template <typename Traits>
void learn(const Packet& packet, Context& context) noexcept {
  using Header = typename Traits::Header;
  if (packet.l4_length < sizeof(net::IcmpHeader) + sizeof(Header)) return;
  const auto icmp = load<net::IcmpHeader>(packet.data + packet.l4_offset);
  if (!says_too_big(icmp, Traits::kFamily)) return;
  const auto quoted = load<Header>(packet.data + quote_offset(packet));
  const bool ours = quoted.source == destination_address<Traits>(packet);
  if (!ours || !is_tunnel_protocol(protocol_of(quoted))) return;
  const PathId* path = context.snapshot.paths.find({net::IpAddress(quoted.destination)});
  const std::uint32_t mtu = std::max(mtu_in(icmp, Traits::kFamily), least_mtu(Traits::kFamily));
  if (path == nullptr || mtu >= limits::kMaxMtu) return;
  context.worker.paths->learn(*path, static_cast<std::uint16_t>(mtu), context.now_ms);
  context.worker.path_mtus_learned.add(1);
}

}  // namespace

void learn_from_error(const Packet& packet, Context& context) noexcept {
  if (packet.family == net::Family::kIpv4) {
    learn<Ipv4Traits>(packet, context);
  } else {
    learn<Ipv6Traits>(packet, context);
  }
}

}  // namespace hawser::pipeline
