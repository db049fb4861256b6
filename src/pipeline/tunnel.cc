// Writes the outer headers of tunnels.
#include "tunnel.h"

#include "fragments.h"
#include "hawser/net/checksum.h"
#include "link.h"
#include "nat_rewrite.h"
#include "outer_header.h"

namespace hawser::pipeline {
namespace {

// RFC 2003 section 3.1: a tunnel's entry is a hop. False when the TTL is used up.
template <typename Traits>
bool enter(Packet& packet, Inner& inner) noexcept {
  std::uint8_t* const ip = packet.data + packet.l3_offset;
  net::ChecksumDelta delta;
  if (!take_hop<Traits>(ip, delta)) return false;
  update_header_checksum<Traits>(ip, delta);
  inner = describe<Traits>(ip, l3_length(packet));
  return true;
}

// The transport's checksum makes segment and pseudo-header add up to all ones, so what the segment
// adds is known without reading it. A segment whose checksum is wrong makes the outer one wrong.
bool adds_up(const Packet& packet) noexcept {
  if (packet.part != Part::kWhole || !has_ports(packet)) return false;
  if (packet.protocol == net::kProtocolTcp) return true;
  return load<net::UdpHeader>(packet.data + packet.l4_offset).checksum != net::Big16();
}

// Unfolded sum of the inner packet's bytes, for the outer UDP checksum.
template <typename Traits>
std::uint64_t inner_sum(const Packet& packet) noexcept {
  const std::uint8_t* at = packet.data + packet.l3_offset;
  const std::size_t headers = std::size_t{packet.l4_offset} - packet.l3_offset;
  if (!adds_up(packet)) return net::sum_bytes({at, l3_length(packet)});
  const std::uint64_t pseudo =
      net::pseudo_header_sum(source_address<Traits>(packet), destination_address<Traits>(packet),
                             packet.protocol, packet.l4_length);
  return net::sum_bytes({at, headers}, static_cast<std::uint16_t>(~net::fold(pseudo)));
}

std::size_t ip_header(net::Family family) noexcept {
  return family == net::Family::kIpv4 ? sizeof(net::Ipv4Header) : sizeof(net::Ipv6Header);
}

}  // namespace

bool can_encapsulate(const Packet& packet, const ServiceEntry& service,
                     const BackendEntry& backend) noexcept {
  if (service.forward != model::Forward::kDsrGue || backend.address.is_ipv4()) return true;
  return packet.contiguous >= packet.l3_offset + l3_length(packet) || adds_up(packet);
}

bool encapsulate(Packet& packet, const ServiceEntry& service, const BackendEntry& backend,
                 Context& context) noexcept {
  const bool gue = service.forward == model::Forward::kDsrGue;
  const net::Family outer = backend.address.family;
  Inner inner;
  const bool alive = packet.family == net::Family::kIpv4 ? enter<Ipv4Traits>(packet, inner)
                                                         : enter<Ipv6Traits>(packet, inner);
  if (!alive) return false;
  // What does not fit the way as the routers on it tell may be fragmented there.
  const std::size_t outside = inner.length + tunnel_overhead(service, backend);
  inner.may_fragment |= outside > context.worker.paths->get(backend.path, context.now_ms);
  // UDP over IPv4 may go without a checksum; over IPv6 it needs one (RFC 8200 section 8.1).
  const bool needs_sum = gue && outer == net::Family::kIpv6;
  const std::uint64_t sum = !needs_sum                            ? 0
                            : packet.family == net::Family::kIpv4 ? inner_sum<Ipv4Traits>(packet)
                                                                  : inner_sum<Ipv6Traits>(packet);
  packet.length = static_cast<std::uint16_t>(packet.l3_offset + inner.length);  // without padding
  packet.contiguous = std::min(packet.contiguous, packet.length);
  grow_front(packet, tunnel_overhead(service, backend));
  std::uint8_t* const at = packet.data + packet.l3_offset;
  const net::IpAddress& source =
      *context.snapshot.ports[backend.port_out.value].tunnel_source(outer);
  const std::size_t payload = inner.length + (gue ? sizeof(net::UdpHeader) : 0);
  write_outer(at, source, backend.address, gue ? net::kProtocolUdp : inner.protocol, payload, inner,
              packet.hash, context.worker);
  packet.family = outer;
  if (!gue) return true;
  net::UdpHeader udp{.source_port = entropy_port(packet.hash),
                     .destination_port = service.gue_port,
                     .length = net::Big16(static_cast<std::uint16_t>(payload)),
                     .checksum = {}};
  std::uint8_t* const udp_at = at + ip_header(outer);
  store(udp_at, udp);
  if (!needs_sum) return true;
  const std::uint64_t pseudo = net::pseudo_header_sum(source, backend.address, net::kProtocolUdp,
                                                      static_cast<std::uint32_t>(payload));
  udp.checksum = net::checksum({udp_at, sizeof(udp)}, pseudo + sum);
  if (udp.checksum == net::Big16()) udp.checksum = net::Big16(0xffff);
  store(udp_at, udp);
  return true;
}

}  // namespace hawser::pipeline
