// Stage: reads the frame from the wire, header by header, in the order the RFCs check them.
#include <bit>

#include "hawser/base/bytes.h"
#include "hawser/net/checksum.h"
#include "hawser/net/ethernet.h"
#include "hawser/net/icmpv6.h"
#include "hawser/net/ipv4.h"
#include "hawser/net/ipv6.h"
#include "hawser/net/tcp.h"
#include "hawser/net/udp.h"
#include "hawser/pipeline/pipeline.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

// Bytes that lie at `offset`, as far as they are contiguous and within the frame.
std::size_t readable(const Packet& packet, std::size_t offset) noexcept {
  const std::size_t end = std::min<std::size_t>(packet.contiguous, packet.length);
  return end > offset ? end - offset : 0;
}

Verdict tcp_fault(const Packet& packet) noexcept {
  if (packet.l4_length < sizeof(net::TcpHeader)) return kTcpTruncated;
  if (readable(packet, packet.l4_offset) < sizeof(net::TcpHeader)) return kTcpTruncated;
  const auto tcp = load<net::TcpHeader>(packet.data + packet.l4_offset);
  const unsigned header = tcp.header_length();
  if (header < sizeof(net::TcpHeader) || header > packet.l4_length) return kTcpBadHeaderLength;
  constexpr unsigned kDecisive = net::kTcpSyn | net::kTcpFin | net::kTcpRst;
  const unsigned decisive = tcp.flags & kDecisive;
  const bool contradicts = std::popcount(decisive) > 1;
  if (contradicts || (tcp.flags & (kDecisive | net::kTcpAck)) == 0) return kTcpBadFlags;
  return kUndecided;
}

Verdict udp_fault(const Packet& packet) noexcept {
  if (packet.l4_length < sizeof(net::UdpHeader)) return kUdpTruncated;
  if (readable(packet, packet.l4_offset) < sizeof(net::UdpHeader)) return kUdpTruncated;
  const auto udp = load<net::UdpHeader>(packet.data + packet.l4_offset);
  if (udp.length.host() < sizeof(net::UdpHeader) || udp.length.host() > packet.l4_length) {
    return kUdpBadLength;
  }
  const bool no_checksum = udp.checksum == net::Big16();
  if (no_checksum && packet.family == net::Family::kIpv6) return kUdpNoChecksum;
  return kUndecided;
}

// Notes the transport's flags and what is wrong with it.
void parse_transport(Packet& packet) noexcept {
  if (packet.protocol == net::kProtocolTcp) {
    packet.fault = tcp_fault(packet);
    if (packet.fault == kUndecided) {
      packet.tcp_flags = packet.data[packet.l4_offset + offsetof(net::TcpHeader, flags)];
    }
  } else if (packet.protocol == net::kProtocolUdp) {
    packet.fault = udp_fault(packet);
  }
  const bool seen_bad = packet.transport_checksum == ChecksumSeen::kBad;
  if (packet.fault == kUndecided && seen_bad) packet.fault = kTransportBadChecksum;
}

// RFC 1122 section 3.2.1.3: such a source is never valid on a wire.
bool is_bad_source(net::Ipv4Address source) noexcept {
  const std::uint32_t host = source.value.host();
  return (host >> 24) == 0 || (host >> 24) == 127 || (host >> 28) >= 0xe;
}

Verdict parse_ipv4(Packet& packet) noexcept {
  const std::size_t present = readable(packet, kL3Offset);
  if (present < sizeof(net::Ipv4Header)) return kIpv4Truncated;
  const std::uint8_t* at = packet.data + kL3Offset;
  const auto ip = load<net::Ipv4Header>(at);
  if (ip.version() != 4) return kIpv4BadVersion;
  const unsigned header = ip.header_length();
  if (header < sizeof(net::Ipv4Header) || header > present) return kIpv4BadHeaderLength;
  const unsigned total = ip.total_length.host();
  if (total < header || total > packet.length - kL3Offset) return kIpv4BadTotalLength;
  if (packet.ip_checksum == ChecksumSeen::kBad) return kIpv4BadChecksum;
  if (packet.ip_checksum == ChecksumSeen::kUnknown &&
      net::fold(net::sum_bytes({at, header})) != 0xffff) {
    return kIpv4BadChecksum;
  }
  if (is_bad_source(ip.source)) return kIpv4BadSource;
  packet.family = net::Family::kIpv4;
  packet.protocol = ip.protocol;
  packet.l4_offset = static_cast<std::uint16_t>(kL3Offset + header);
  packet.l4_length = static_cast<std::uint16_t>(total - header);
  if (ip.is_fragment()) {
    packet.fault = kIpv4Fragment;
  } else {
    parse_transport(packet);
  }
  return kUndecided;
}

// RFC 4291 section 2.5.2, 2.5.3, 2.7. The unspecified address is how duplicate address detection
// asks; that is for answer_neighbours and the kernel, never for a service.
bool is_bad_source(const net::Ipv6Address& source) noexcept {
  net::Ipv6Address loopback;
  loopback.bytes[15] = 1;
  return source.is_multicast() || source == loopback;
}

Verdict parse_ipv6(Packet& packet) noexcept {
  if (readable(packet, kL3Offset) < sizeof(net::Ipv6Header)) return kIpv6Truncated;
  const auto ip = load<net::Ipv6Header>(packet.data + kL3Offset);
  if (ip.version() != 6) return kIpv6BadVersion;
  const std::size_t payload = ip.payload_length.host();
  if (payload > packet.length - kL3Offset - sizeof(net::Ipv6Header)) {
    return kIpv6BadPayloadLength;
  }
  if (is_bad_source(ip.source)) return kIpv6BadSource;
  packet.family = net::Family::kIpv6;
  packet.protocol = ip.next_header;
  packet.l4_offset = kL3Offset + sizeof(net::Ipv6Header);
  packet.l4_length = static_cast<std::uint16_t>(payload);
  const bool unspecified = ip.source == net::Ipv6Address{};
  if (net::is_ipv6_extension(ip.next_header)) {
    packet.fault = kIpv6Extension;
  } else if (unspecified) {
    packet.fault = kIpv6BadSource;
  } else {
    parse_transport(packet);
  }
  return kUndecided;
}

Verdict parse_one(Packet& packet, const net::MacAddress& own) noexcept {
  if (packet.length > limits::kMaxFrame) return kFrameTooLong;
  if (readable(packet, 0) < sizeof(net::EthernetHeader)) return kFrameTruncated;
  const auto ethernet = load<net::EthernetHeader>(packet.data);
  if (ethernet.destination != own && !ethernet.destination.is_multicast()) return kFrameNotForUs;
  if (ethernet.ether_type == net::kEtherTypeArp) {
    packet.layer3 = Layer3::kArp;
    return kUndecided;
  }
  const bool ipv4 = ethernet.ether_type == net::kEtherTypeIpv4;
  if (!ipv4 && ethernet.ether_type != net::kEtherTypeIpv6) return kPuntOther;
  packet.layer3 = Layer3::kIp;
  const Verdict verdict = ipv4 ? parse_ipv4(packet) : parse_ipv6(packet);
  // RFC 1812 section 5.3.4: what came as a link-layer broadcast is never forwarded.
  if (ethernet.destination.is_multicast()) packet.fault = kFrameNotForUs;
  return verdict;
}

}  // namespace

void parse(Burst& burst, const Context& context) noexcept {
  for (Packet& packet : burst.span()) {
    const PortEntry& port = context.snapshot.ports[packet.port_in.value];
    packet.verdict = parse_one(packet, port.mac);
  }
}

}  // namespace hawser::pipeline
