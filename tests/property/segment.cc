// Writes a segment's frame byte by byte.
#include "segment.h"

#include <algorithm>

#include "hawser/net/ipv4.h"
#include "hawser/net/tcp.h"

namespace hawser::property {
namespace {

constexpr std::size_t kEthernetBytes = 14;
constexpr std::size_t kIpv4Bytes = 20;
constexpr std::size_t kIpv6Bytes = 40;
constexpr std::size_t kFragmentBytes = 8;
constexpr std::size_t kTcpBytes = 20;
constexpr std::size_t kIcmpBytes = 8;
constexpr std::size_t kUdpBytes = 8;

using Bytes = std::vector<std::uint8_t>;

void put8(Bytes& bytes, std::size_t value) {
  bytes.push_back(static_cast<std::uint8_t>(value));
}
void put16(Bytes& bytes, std::size_t value) {
  put8(bytes, value >> 8U & 0xffU);
  put8(bytes, value & 0xffU);
}
void put32(Bytes& bytes, std::size_t value) {
  put16(bytes, value >> 16U & 0xffffU);
  put16(bytes, value & 0xffffU);
}
void put(Bytes& bytes, const net::IpAddress& address) {
  bytes.insert(bytes.end(), address.bytes.begin(),
               address.bytes.begin() + static_cast<std::ptrdiff_t>(address.size()));
}
void put(Bytes& bytes, const net::MacAddress& mac) {
  bytes.insert(bytes.end(), mac.bytes.begin(), mac.bytes.end());
}

// Ones' complement addition of 16-bit numbers.
std::uint32_t add(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t sum = a + b;
  return (sum & 0xffffU) + (sum >> 16U);
}

// Sum of the bytes from `begin` on as big-endian words, the last filled up with zero.
std::uint32_t sum_from(const Bytes& bytes, std::size_t begin) {
  std::uint32_t sum = 0;
  for (std::size_t i = begin; i < bytes.size(); i += 2) {
    const std::uint32_t low = i + 1 < bytes.size() ? bytes[i + 1] : 0U;
    sum = add(sum, std::uint32_t{bytes[i]} << 8U | low);
  }
  return sum;
}

void set16(Bytes& bytes, std::size_t at, std::uint32_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8U);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

std::size_t transport_bytes(const Segment& segment) {
  if (segment.complaint) return kIcmpBytes + segment.complaint->quoted_bytes;
  const std::size_t header =
      segment.is_tcp() ? kTcpBytes + 4U * segment.tcp_option_words : kUdpBytes;
  return header + segment.payload;
}

// Of the transport, as far as the packet carries it.
std::size_t carried_bytes(const Segment& segment) {
  return segment.piece ? segment.piece->length : transport_bytes(segment);
}

void put_ipv6(Bytes& bytes, const Segment& segment) {
  put32(bytes, 6U << 28U | (segment.traffic & 0x0fffffffU));
  put16(bytes, ip_bytes(segment) - kIpv6Bytes + carried_bytes(segment));
  put8(bytes, segment.piece ? 44 : segment.protocol);
  put8(bytes, segment.ttl);
  put(bytes, segment.source);
  put(bytes, segment.destination);
  if (!segment.piece) return;
  put8(bytes, segment.protocol);
  put8(bytes, 0);
  put16(bytes, std::size_t{segment.piece->offset} << 3U | (segment.piece->more ? 1U : 0U));
  put32(bytes, segment.piece->identification);
}

void put_ip(Bytes& bytes, const Segment& segment) {
  const std::size_t begin = bytes.size();
  if (!segment.source.is_ipv4()) {
    put_ipv6(bytes, segment);
    return;
  }
  put8(bytes, 0x40U | (5U + segment.ip_option_words));
  put8(bytes, segment.traffic & 0xffU);
  put16(bytes, ip_bytes(segment) + carried_bytes(segment));
  const Piece piece = segment.piece.value_or(Piece{.identification = segment.identification});
  put16(bytes, piece.identification & 0xffffU);
  put16(bytes, (segment.dont_fragment ? 0x4000U : 0U) | (piece.more ? 0x2000U : 0U) | piece.offset);
  put8(bytes, segment.ttl);
  put8(bytes, segment.protocol);
  put16(bytes, 0);
  put(bytes, segment.source);
  put(bytes, segment.destination);
  for (unsigned i = 0; i < segment.ip_option_words; ++i) put32(bytes, 0x01010101U);  // no operation
  set16(bytes, begin + 10, add(0xffffU & ~sum_from(bytes, begin), segment.header_error));
}

void put_transport(Bytes& bytes, const Segment& segment) {
  put16(bytes, segment.source_port);
  put16(bytes, segment.destination_port);
  if (segment.is_tcp()) {
    put32(bytes, segment.sequence);
    put32(bytes, segment.acknowledgement);
    put8(bytes, (5U + segment.tcp_option_words) << 4U);
    put8(bytes, segment.flags);
    put16(bytes, segment.window);
    put32(bytes, 0);  // checksum and urgent pointer
    for (unsigned i = 0; i < segment.tcp_option_words; ++i) put32(bytes, 0x01010101U);
  } else {
    put16(bytes, transport_bytes(segment));
    put16(bytes, 0);
  }
  for (unsigned i = 0; i < segment.payload; ++i) put8(bytes, (segment.fill + i * 3U) & 0xffU);
}

std::uint32_t pseudo_sum(const net::IpAddress& source, const net::IpAddress& destination,
                         std::size_t length, std::uint8_t protocol) {
  Bytes pseudo;
  put(pseudo, source);
  put(pseudo, destination);
  put32(pseudo, length);
  put32(pseudo, protocol);
  return sum_from(pseudo, 0);
}

std::uint32_t transport_checksum(const Bytes& bytes, std::size_t begin, const Segment& segment) {
  const std::uint32_t pseudo =
      pseudo_sum(segment.source, segment.destination, transport_bytes(segment), segment.protocol);
  const std::uint32_t sound = 0xffffU & ~add(pseudo, sum_from(bytes, begin));
  const std::uint32_t field = add(sound, segment.checksum_error);
  return !segment.is_tcp() && field == 0 ? 0xffffU : field;
}

Bytes ip_packet(const Segment& segment);

Bytes complaint_packet(const Segment& segment) {
  const Complaint& complaint = *segment.complaint;
  Bytes bytes;
  put_ip(bytes, segment);
  const std::size_t begin = bytes.size();
  put8(bytes, complaint.type);
  put8(bytes, complaint.code);
  put16(bytes, 0);
  put32(bytes, complaint.rest);
  const Bytes quoted = ip_packet(*complaint.quoted);
  bytes.insert(bytes.end(), quoted.begin(), quoted.begin() + complaint.quoted_bytes);
  const bool ipv4 = segment.source.is_ipv4();
  const std::uint32_t pseudo = ipv4 ? 0
                                    : pseudo_sum(segment.source, segment.destination,
                                                 transport_bytes(segment), segment.protocol);
  const std::uint32_t sound = 0xffffU & ~add(pseudo, sum_from(bytes, begin));
  set16(bytes, begin + 2, complaint.bad_checksum ? add(sound, 1) : sound);
  return bytes;
}

Bytes ip_packet(const Segment& segment) {
  if (segment.complaint) return complaint_packet(segment);
  Bytes transport;
  put_transport(transport, segment);
  if (segment.is_tcp() || !segment.without_checksum) {
    set16(transport, segment.is_tcp() ? 16U : 6U, transport_checksum(transport, 0, segment));
  }
  Bytes bytes;
  put_ip(bytes, segment);
  const std::size_t from = segment.piece ? segment.piece->offset * 8U : 0;
  transport.resize(std::max(transport.size(), from + carried_bytes(segment)));
  const auto begin = transport.begin() + static_cast<std::ptrdiff_t>(from);
  bytes.insert(bytes.end(), begin, begin + static_cast<std::ptrdiff_t>(carried_bytes(segment)));
  return bytes;
}

// --- tunnels -------------------------------------------------------------------------------------

std::size_t outer_bytes(const Tunnel& outer) {
  return (outer.source.is_ipv4() ? kIpv4Bytes : kIpv6Bytes) + (outer.gue_port != 0 ? kUdpBytes : 0);
}

// RFC 2003, RFC 2473, RFC 4213; RFC 6040 for the traffic class.
void put_outer_ip(Bytes& bytes, const Segment& segment, std::size_t payload) {
  const Tunnel& outer = *segment.outer;
  const bool inner_ipv4 = segment.source.is_ipv4();
  const std::uint32_t traffic_class =
      (inner_ipv4 ? segment.traffic : segment.traffic >> 20U) & 0xff;
  const std::uint8_t in_ip = inner_ipv4 ? 4 : 41;
  const std::uint8_t protocol = outer.gue_port != 0 ? net::kProtocolUdp : in_ip;
  if (!outer.source.is_ipv4()) {
    put32(bytes, 6U << 28U | traffic_class << 20U | outer.flow_label);
    put16(bytes, payload);
    put8(bytes, protocol);
    put8(bytes, 64);
    put(bytes, outer.source);
    put(bytes, outer.destination);
    return;
  }
  const std::size_t begin = bytes.size();
  put8(bytes, 0x45);
  put8(bytes, traffic_class);
  put16(bytes, kIpv4Bytes + payload);
  put16(bytes, outer.identification);
  put16(bytes, outer.dont_fragment ? 0x4000U : 0U);
  put8(bytes, 64);
  put8(bytes, protocol);
  put16(bytes, 0);
  put(bytes, outer.source);
  put(bytes, outer.destination);
  set16(bytes, begin + 10, 0xffffU & ~sum_from(bytes, begin));
}

// Everything between the Ethernet header and the inner packet. The checksum of GUE over IPv6 takes
// a whole inner segment's for granted.
void put_outer(Bytes& bytes, const Segment& segment) {
  const Tunnel& outer = *segment.outer;
  Segment sound = segment;
  if (!segment.piece) sound.checksum_error = 0;
  const Bytes inner = ip_packet(sound);
  const std::size_t payload = inner.size() + (outer.gue_port != 0 ? kUdpBytes : 0);
  put_outer_ip(bytes, segment, payload);
  if (outer.gue_port == 0) return;
  const std::size_t begin = bytes.size();
  put16(bytes, outer.source_port);
  put16(bytes, outer.gue_port);
  put16(bytes, payload);
  put16(bytes, 0);
  if (outer.source.is_ipv4()) return;
  const std::uint32_t pseudo =
      pseudo_sum(outer.source, outer.destination, payload, net::kProtocolUdp);
  const std::uint32_t covered = add(add(pseudo, sum_from(bytes, begin)), sum_from(inner, 0));
  set16(bytes, begin + 6, covered == 0xffff ? 0xffffU : 0xffffU & ~covered);
}

}  // namespace

// With the fragment header of IPv6.
std::size_t ip_bytes(const Segment& segment) {
  if (segment.source.is_ipv4()) return kIpv4Bytes + 4U * segment.ip_option_words;
  return kIpv6Bytes + (segment.piece ? kFragmentBytes : 0);
}

std::size_t packet_bytes(const Segment& segment) {
  return ip_bytes(segment) + carried_bytes(segment);
}

bool Segment::is_tcp() const noexcept {
  return protocol == net::kProtocolTcp;
}

bool Segment::is_pure_syn() const noexcept {
  return is_tcp() && has(net::kTcpSyn) && !has(net::kTcpAck);
}

std::size_t frame_length(const Segment& segment) {
  const std::size_t packet = kEthernetBytes + ip_bytes(segment) + carried_bytes(segment);
  return segment.outer ? packet + outer_bytes(*segment.outer) : packet + segment.padding;
}

std::size_t checksum_offset(const Segment& segment) {
  return kEthernetBytes + ip_bytes(segment) + (segment.is_tcp() ? 16U : 6U);
}

std::vector<std::uint8_t> frame_of(const Segment& segment) {
  Bytes bytes;
  put(bytes, segment.to);
  put(bytes, segment.from);
  const net::IpAddress& first = segment.outer ? segment.outer->source : segment.source;
  put16(bytes, first.is_ipv4() ? 0x0800U : 0x86ddU);
  if (segment.outer) put_outer(bytes, segment);
  const Bytes packet = ip_packet(segment);
  bytes.insert(bytes.end(), packet.begin(), packet.end());
  if (!segment.outer) bytes.resize(bytes.size() + segment.padding);
  return bytes;
}

std::string to_string(const Segment& segment) {
  std::string text = segment.is_tcp() ? "tcp" : "udp";
  if (segment.is_tcp()) {
    const std::string names = "FSRPAUEC";
    text += " ";
    for (unsigned bit = 0; bit < 8; ++bit) {
      if ((segment.flags >> bit & 1U) != 0) text += names[bit];
    }
  }
  text += " " + net::endpoint_to_string(segment.source, segment.source_port) + " > " +
          net::endpoint_to_string(segment.destination, segment.destination_port) + " port " +
          std::to_string(segment.port_in.value) + " " + net::to_string(segment.from) + " > " +
          net::to_string(segment.to) + " ttl " + std::to_string(segment.ttl) + " payload " +
          std::to_string(segment.payload);
  if (segment.checksum_error != 0) text += " bad-checksum";
  if (segment.without_checksum) text += " no-checksum";
  if (segment.found_bad_by_the_port) text += " seen-bad";
  if (segment.complaint) {
    text += " icmp " + std::to_string(segment.complaint->type) + " quotes " +
            std::to_string(segment.complaint->quoted_bytes) + " bytes of " +
            to_string(*segment.complaint->quoted);
  }
  if (segment.piece) {
    text += " fragment " + std::to_string(segment.piece->identification) + " at " +
            std::to_string(segment.piece->offset * 8) + " of " +
            std::to_string(segment.piece->length) + (segment.piece->more ? " more" : " last");
  }
  return text;
}

}  // namespace hawser::property
