// Writes the outer headers of tunnels.
#include "tunnel.h"

#include "fragments.h"
#include "hawser/net/checksum.h"
#include "link.h"
#include "nat_rewrite.h"

namespace hawser::pipeline {
namespace {

constexpr std::uint8_t kOuterTtl = 64;

// What the outer header takes from the inner packet.
struct Inner {
  std::uint16_t length = 0;
  std::uint8_t protocol = 0;       // of IP in IP
  std::uint8_t traffic_class = 0;  // DSCP and ECN
  bool may_fragment = false;
};

template <typename Traits>
Inner describe(const Packet& packet, const std::uint8_t* ip) noexcept {
  const auto length = static_cast<std::uint16_t>(l3_length(packet));
  if constexpr (Traits::kFamily == net::Family::kIpv4) {
    const auto flags = load<net::Big16>(ip + offsetof(net::Ipv4Header, flags_fragment));
    return {.length = length,
            .protocol = net::kProtocolIpv4,
            .traffic_class = ip[offsetof(net::Ipv4Header, dscp_ecn)],
            .may_fragment = (flags.host() & net::kIpv4DontFragment) == 0};
  } else {
    return {.length = length,
            .protocol = net::kProtocolIpv6,
            .traffic_class = static_cast<std::uint8_t>(load<net::Big32>(ip).host() >> 20),
            .may_fragment = false};
  }
}

// RFC 2003 section 3.1: a tunnel's entry is a hop. False when the TTL is used up.
template <typename Traits>
bool enter(Packet& packet, Inner& inner) noexcept {
  std::uint8_t* const ip = packet.data + packet.l3_offset;
  net::ChecksumDelta delta;
  if (!take_hop<Traits>(ip, delta)) return false;
  update_header_checksum<Traits>(ip, delta);
  inner = describe<Traits>(packet, ip);
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

// The header's twenty bytes as three words, made, summed and written from registers.
void write_ipv4(std::uint8_t* at, net::Ipv4Address source, net::Ipv4Address destination,
                std::uint8_t protocol, std::size_t payload, const Inner& inner,
                WorkerState& worker) noexcept {
  const net::Big16 length(static_cast<std::uint16_t>(sizeof(net::Ipv4Header) + payload));
  // Only what may be fragmented on its way needs an identification (RFC 6864 section 4.1).
  const net::Big16 identification(
      inner.may_fragment ? static_cast<std::uint16_t>(take_identification(worker)) : 0);
  const net::Big16 flags(inner.may_fragment ? 0 : net::kIpv4DontFragment);
  const std::uint64_t first =
      0x45U | std::uint64_t{inner.traffic_class} << 8 | std::uint64_t{length.raw()} << 16 |
      std::uint64_t{identification.raw()} << 32 | std::uint64_t{flags.raw()} << 48;
  const std::uint64_t second =
      kOuterTtl | std::uint64_t{protocol} << 8 | std::uint64_t{source.value.raw()} << 32;
  const std::uint32_t third = destination.value.raw();
  constexpr std::uint64_t kLow = 0xffffffff;
  const std::uint64_t sum =
      (first & kLow) + (first >> 32) + (second & kLow) + (second >> 32) + third;
  const auto checksum = static_cast<std::uint16_t>(~net::fold(sum));
  store(at, first);
  store(at + 8, second | std::uint64_t{checksum} << 16);
  store(at + 16, third);
}

void write_outer(std::uint8_t* at, const net::IpAddress& source, const net::IpAddress& destination,
                 std::uint8_t protocol, std::size_t payload, const Inner& inner,
                 const Packet& packet, WorkerState& worker) noexcept {
  if (destination.is_ipv4()) {
    write_ipv4(at, source.v4(), destination.v4(), protocol, payload, inner, worker);
    return;
  }
  // The flow label is entropy for those who spread by it (RFC 6438 section 3).
  const auto label = static_cast<std::uint32_t>(packet.hash >> 40) & 0xfffffU;
  net::Ipv6Header ip;
  ip.version_class_flow = net::Big32(6U << 28 | std::uint32_t{inner.traffic_class} << 20 | label);
  ip.payload_length = net::Big16(static_cast<std::uint16_t>(payload));
  ip.next_header = protocol;
  ip.hop_limit = kOuterTtl;
  ip.source = source.v6();
  ip.destination = destination.v6();
  store(at, ip);
}

// The source port carries entropy of the flow, from the dynamic range (RFC 6335 section 6).
net::Big16 entropy_port(const Packet& packet) noexcept {
  return net::Big16(static_cast<std::uint16_t>(0xc000U | (packet.hash >> 48)));
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
              packet, context.worker);
  packet.family = outer;
  if (!gue) return true;
  net::UdpHeader udp{.source_port = entropy_port(packet),
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
