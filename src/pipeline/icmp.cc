// Stage: ICMP for addresses of ours: answers echo requests, and finds the flow that an error is
// about by the packet it quotes (RFC 792, RFC 4443, RFC 5508 section 4).
#include <algorithm>

#include "hawser/net/checksum.h"
#include "hawser/net/ipv6_chain.h"
#include "hawser/pipeline/pipeline.h"
#include "headers.h"
#include "parse_transport.h"
#include "tunnel_error.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

constexpr std::uint8_t kEchoTtl = 64;

std::span<const std::uint8_t> message(const Packet& packet) noexcept {
  return {packet.data + packet.l4_offset, packet.l4_length};
}

template <typename Traits>
bool checksum_holds(const Packet& packet) noexcept {
  std::uint64_t sum = 0;
  if constexpr (Traits::kFamily == net::Family::kIpv6) {
    sum =
        net::pseudo_header_sum(source_address<Traits>(packet), destination_address<Traits>(packet),
                               net::kProtocolIcmpv6, packet.l4_length);
  }
  return net::fold(net::sum_bytes(message(packet), sum)) == 0xffff;
}

// --- echo ----------------------------------------------------------------------------------------

void turn_header_round(net::Ipv4Header& ip) noexcept {
  std::swap(ip.source, ip.destination);
  ip.ttl = kEchoTtl;
  ip.checksum = {};
  std::array<std::uint8_t, sizeof(ip)> bytes{};
  store(bytes.data(), ip);
  ip.checksum = net::checksum(bytes);
}
void turn_header_round(net::Ipv6Header& ip) noexcept {
  std::swap(ip.source, ip.destination);
  ip.hop_limit = kEchoTtl;
}

// In place; the payload goes back as it came. Swapping the addresses leaves a pseudo-header's sum.
template <typename Traits>
Verdict answer_echo(Packet& packet, std::uint8_t reply, Context& context) noexcept {
  using Header = typename Traits::Header;
  const bool plain = packet.l4_offset == packet.l3_offset + sizeof(Header);
  if (!plain) return kIcmpUnsupported;
  if (!context.worker.echo_bucket.take({limits::kEchoRate, limits::kIcmpBurst}, context.now_ms)) {
    return kIcmpRateLimited;
  }
  auto icmp = load<net::IcmpHeader>(packet.data + packet.l4_offset);
  net::ChecksumDelta delta;
  const auto word = [&] {
    return net::Big16(static_cast<std::uint16_t>(icmp.type << 8U | icmp.code));
  };
  const net::Big16 before = word();
  icmp.type = reply;
  delta.change(before, word());
  icmp.checksum = delta.apply(icmp.checksum);
  store(packet.data + packet.l4_offset, icmp);
  auto ip = load<Header>(packet.data + packet.l3_offset);
  turn_header_round(ip);
  store(packet.data + packet.l3_offset, ip);
  turn_round(packet, context.snapshot.ports[packet.port_in.value].mac);
  return kReplyEcho;
}

// --- errors --------------------------------------------------------------------------------------

// Of the quoted packet: where its transport header lies, and of which protocol it is.
struct Quote {
  std::size_t transport = 0;  // from its begin
  std::uint8_t protocol = 0;
  Verdict fault = kUndecided;
};

Quote read_quote(const net::Ipv4Header& ip, std::span<const std::uint8_t> bytes) noexcept {
  const std::size_t header = ip.header_length();
  if (ip.version() != 4 || header < sizeof(ip) || bytes.size() < header) {
    return {.fault = kIcmpMalformed};
  }
  if (ip.fragment_offset() != 0) return {.fault = kIcmpUnsupported};  // quotes no ports
  return {.transport = header, .protocol = ip.protocol};
}

Quote read_quote(const net::Ipv6Header& ip, std::span<const std::uint8_t> bytes) noexcept {
  if (ip.version() != 6) return {.fault = kIcmpMalformed};
  const auto rest = bytes.subspan(sizeof(ip));
  const net::Ipv6Chain chain = net::walk_chain(ip.next_header, rest);
  if (chain.fault != net::ChainFault::kNone) return {.fault = kIcmpUnsupported};
  if (chain.has_fragment &&
      load<net::Ipv6FragmentHeader>(rest.data() + chain.fragment_offset).offset() != 0) {
    return {.fault = kIcmpUnsupported};
  }
  return {.transport = sizeof(ip) + chain.length, .protocol = chain.protocol};
}

// From here on the packet goes the way of the flow whose packet it quotes, in the other direction.
template <typename Traits>
Verdict follow_quote(Packet& packet) noexcept {
  using Header = typename Traits::Header;
  const std::span<const std::uint8_t> bytes = message(packet).subspan(sizeof(net::IcmpHeader));
  if (bytes.size() < sizeof(Header)) return kIcmpMalformed;
  const auto quoted = load<Header>(bytes.data());
  const Quote quote = read_quote(quoted, bytes);
  if (quote.fault != kUndecided) return quote.fault;
  // We sent the quoted packet, so the error about it comes to its source.
  if (!(quoted.source == destination_address<Traits>(packet))) return kIcmpMalformed;
  constexpr std::size_t kQuotedTransport = 8;  // at least (RFC 792)
  if (bytes.size() < quote.transport + kQuotedTransport) return kIcmpMalformed;
  packet.protocol = quote.protocol;
  if (!has_ports(packet)) return kIcmpUnsupported;
  packet.part = Part::kQuoted;
  packet.destination_port = load<net::Big16>(bytes.data() + quote.transport);
  packet.source_port = load<net::Big16>(bytes.data() + quote.transport + 2);
  return kUndecided;
}

template <typename Traits>
Verdict read_icmp(Packet& packet, Context& context) noexcept {
  constexpr bool kVersion4 = Traits::kFamily == net::Family::kIpv4;
  if (packet.l4_length < sizeof(net::IcmpHeader) ||
      readable(packet, packet.l4_offset) < packet.l4_length || !checksum_holds<Traits>(packet)) {
    return kIcmpMalformed;
  }
  const std::uint8_t type = packet.data[packet.l4_offset];
  if (type == (kVersion4 ? net::kIcmpEchoRequest : net::kIcmpv6EchoRequest)) {
    return answer_echo<Traits>(packet, kVersion4 ? net::kIcmpEchoReply : net::kIcmpv6EchoReply,
                               context);
  }
  if (!net::is_icmp_error(Traits::kFamily, type)) return kIcmpUnsupported;
  return follow_quote<Traits>(packet);
}

bool is_icmp(const Packet& packet) noexcept {
  if (packet.layer3 != Layer3::kIp || packet.fault != kUndecided) return false;
  return packet.protocol ==
         (packet.family == net::Family::kIpv4 ? net::kProtocolIcmp : net::kProtocolIcmpv6);
}

// The kernel gets what is for own addresses, but errors about tunnels are news to us.
void look_for_paths(const Packet& packet, Context& context) noexcept {
  if (packet.part != Part::kWhole || context.snapshot.paths.is_empty()) return;
  if (readable(packet, packet.l4_offset) < packet.l4_length) return;
  const bool holds = packet.family == net::Family::kIpv4 ? checksum_holds<Ipv4Traits>(packet)
                                                         : checksum_holds<Ipv6Traits>(packet);
  if (holds) learn_from_error(packet, context);
}

}  // namespace

void handle_icmp(Burst& burst, Context& context) noexcept {
  for (Packet& packet : burst.unknown()) {
    if (!packet.undecided() || !is_icmp(packet)) continue;
    if (!is_for_flows(packet, context.snapshot.addresses)) {
      look_for_paths(packet, context);
      continue;
    }
    if (packet.part != Part::kWhole) {
      packet.verdict = kIcmpUnsupported;
      continue;
    }
    packet.verdict = packet.family == net::Family::kIpv4 ? read_icmp<Ipv4Traits>(packet, context)
                                                         : read_icmp<Ipv6Traits>(packet, context);
  }
}

}  // namespace hawser::pipeline
