// Stage: reads the frame from the wire, header by header, in the order the RFCs check them.
#include "hawser/base/bytes.h"
#include "hawser/net/checksum.h"
#include "hawser/net/ethernet.h"
#include "hawser/net/ipv4.h"
#include "hawser/net/ipv6.h"
#include "hawser/net/ipv6_chain.h"
#include "hawser/pipeline/pipeline.h"
#include "parse_transport.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

// --- IPv4 ----------------------------------------------------------------------------------------

// RFC 1122 section 3.2.1.3: such a source is never valid on a wire.
bool is_bad_source(net::Ipv4Address source) noexcept {
  const std::uint32_t host = source.value.host();
  return (host >> 24) == 0 || (host >> 24) == 127 || (host >> 28) >= 0xe;
}

// RFC 7126 sections 4.4 and 4.5: a sender has no business choosing our way. The list ends where an
// option's length makes no sense; that is for the receiver to judge.
bool has_source_route(std::span<const std::uint8_t> options) noexcept {
  constexpr std::uint8_t kEnd = 0;
  constexpr std::uint8_t kNoOperation = 1;
  constexpr std::uint8_t kLooseRoute = 131;
  constexpr std::uint8_t kStrictRoute = 137;
  Reader reader(options);
  std::uint8_t kind = 0;
  while (reader.read(kind) && kind != kEnd) {
    if (kind == kLooseRoute || kind == kStrictRoute) return true;
    if (kind == kNoOperation) continue;
    std::uint8_t length = 0;
    if (!reader.read(length) || length < 2 || !reader.skip(length - 2U)) return false;
  }
  return false;
}

// Most headers have no options: five words, without a loop.
std::uint64_t header_sum(const std::uint8_t* at, unsigned length) noexcept {
  if (length != sizeof(net::Ipv4Header)) [[unlikely]]
    return net::sum_bytes({at, length});
  return net::ipv4_header_sum(at);
}

Verdict parse_ipv4(Packet& packet) noexcept {
  const std::size_t present = readable(packet, packet.l3_offset);
  if (present < sizeof(net::Ipv4Header)) return kIpv4Truncated;
  const std::uint8_t* at = packet.data + packet.l3_offset;
  const auto ip = load<net::Ipv4Header>(at);
  if (ip.version() != 4) return kIpv4BadVersion;
  const unsigned header = ip.header_length();
  if (header < sizeof(net::Ipv4Header) || header > present) return kIpv4BadHeaderLength;
  const unsigned total = ip.total_length.host();
  if (total < header || total + packet.l3_offset > packet.length) return kIpv4BadTotalLength;
  if (packet.ip_checksum == ChecksumSeen::kBad) return kIpv4BadChecksum;
  if (packet.ip_checksum == ChecksumSeen::kUnknown && net::fold(header_sum(at, header)) != 0xffff) {
    return kIpv4BadChecksum;
  }
  if (is_bad_source(ip.source)) return kIpv4BadSource;
  packet.family = net::Family::kIpv4;
  packet.protocol = ip.protocol;
  packet.l4_offset = static_cast<std::uint16_t>(packet.l3_offset + header);
  packet.l4_length = static_cast<std::uint16_t>(total - header);
  if (ip.is_fragment()) {
    parse_fragment(packet, ip.fragment_offset());
  } else {
    parse_transport(packet);
  }
  const bool has_options = header > sizeof(ip);
  if (has_options && has_source_route({at + sizeof(ip), header - sizeof(ip)})) {
    packet.fault = kIpv4SourceRoute;
  }
  return kUndecided;
}

// --- IPv6 ----------------------------------------------------------------------------------------

// RFC 4291 sections 2.5.2, 2.5.3, 2.7. The unspecified address is how duplicate address detection
// asks; that is for answer_neighbours and the kernel, never for a service.
bool is_bad_source(const net::Ipv6Address& source) noexcept {
  net::Ipv6Address loopback;
  loopback.bytes[15] = 1;
  return source.is_multicast() || source == loopback;
}

// Finds the transport header behind extension headers.
void parse_chain(Packet& packet) noexcept {
  const std::size_t there =
      std::min<std::size_t>(readable(packet, packet.l4_offset), packet.l4_length);
  const std::uint8_t* begin = packet.data + packet.l4_offset;
  const net::Ipv6Chain chain = net::walk_chain(packet.protocol, {begin, there});
  packet.protocol = chain.protocol;
  packet.l4_offset = static_cast<std::uint16_t>(packet.l4_offset + chain.length);
  packet.l4_length = static_cast<std::uint16_t>(packet.l4_length - chain.length);
  if (chain.fault != net::ChainFault::kNone) {
    packet.fault = chain.fault == net::ChainFault::kBroken ? kIpv6ExtensionChain : kIpv6Extension;
    return;
  }
  if (chain.has_fragment) {
    const auto fragment = load<net::Ipv6FragmentHeader>(begin + chain.fragment_offset);
    // Offset 0 and no more to come is a whole packet (RFC 6946).
    if (fragment.offset() != 0 || fragment.more()) return parse_fragment(packet, fragment.offset());
  }
  parse_transport(packet);
}

Verdict parse_ipv6(Packet& packet) noexcept {
  if (readable(packet, packet.l3_offset) < sizeof(net::Ipv6Header)) return kIpv6Truncated;
  const auto ip = load<net::Ipv6Header>(packet.data + packet.l3_offset);
  if (ip.version() != 6) return kIpv6BadVersion;
  const std::size_t payload = ip.payload_length.host();
  if (payload + packet.l3_offset + sizeof(ip) > packet.length) return kIpv6BadPayloadLength;
  if (is_bad_source(ip.source)) return kIpv6BadSource;
  packet.family = net::Family::kIpv6;
  packet.protocol = ip.next_header;
  packet.l4_offset = static_cast<std::uint16_t>(packet.l3_offset + sizeof(ip));
  packet.l4_length = static_cast<std::uint16_t>(payload);
  if (net::is_ipv6_extension(ip.next_header)) {
    parse_chain(packet);
  } else {
    parse_transport(packet);
  }
  if (ip.source == net::Ipv6Address{}) packet.fault = kIpv6BadSource;
  return kUndecided;
}

// --- Ethernet ------------------------------------------------------------------------------------

// Finds the port that a frame's VLAN tag makes of the one it came through. `ether_type` becomes
// that of what it carries.
Verdict parse_link(Packet& packet, const Snapshot& snapshot, net::Big16& ether_type) noexcept {
  const PortEntry& port = snapshot.ports[packet.port_in.value];
  packet.l3_offset = sizeof(net::EthernetHeader);
  const bool tagged = ether_type == net::kEtherTypeVlan;
  if (port.vlans.empty()) return tagged ? kPuntOther : kUndecided;
  std::uint16_t vlan = 0;
  if (tagged) {
    if (readable(packet, packet.l3_offset) < sizeof(net::VlanTag)) return kFrameTruncated;
    const auto tag = load<net::VlanTag>(packet.data + packet.l3_offset);
    vlan = tag.vlan();  // 0 is a priority tag: no VLAN
    ether_type = tag.ether_type;
    packet.l3_offset += sizeof(net::VlanTag);
  }
  for (const auto& [number, id] : port.vlans) {
    if (number != vlan) continue;
    packet.port_in = id;
    return kUndecided;
  }
  return kFrameUnknownVlan;
}

Verdict parse_one(Packet& packet, const Snapshot& snapshot) noexcept {
  if (packet.length > limits::kMaxFrame) return kFrameTooLong;
  if (readable(packet, 0) < sizeof(net::EthernetHeader)) return kFrameTruncated;
  auto ether_type = load<net::Big16>(packet.data + offsetof(net::EthernetHeader, ether_type));
  const std::uint64_t own = net::mac_word(snapshot.ports[packet.port_in.value].mac);
  const bool multicast = (packet.data[0] & 1U) != 0;
  if (net::mac_word(packet.data) != own && !multicast) return kFrameNotForUs;
  const Verdict link = parse_link(packet, snapshot, ether_type);
  if (link != kUndecided) return link;
  if (ether_type == net::kEtherTypeArp) {
    packet.layer3 = Layer3::kArp;
    return kUndecided;
  }
  const bool ipv4 = ether_type == net::kEtherTypeIpv4;
  if (!ipv4 && ether_type != net::kEtherTypeIpv6) return kPuntOther;
  packet.layer3 = Layer3::kIp;
  const Verdict verdict = ipv4 ? parse_ipv4(packet) : parse_ipv6(packet);
  // RFC 1812 section 5.3.4: what came as a link-layer broadcast is never forwarded.
  if (multicast) packet.fault = kFrameNotForUs;
  return verdict;
}

}  // namespace

void parse(Burst& burst, const Context& context) noexcept {
  for (Packet& packet : burst.unknown()) packet.verdict = parse_one(packet, context.snapshot);
}

}  // namespace hawser::pipeline
