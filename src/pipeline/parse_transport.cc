// The part of parse above IP: TCP, UDP, and pieces of either.
#include "parse_transport.h"

#include <bit>

#include "hawser/base/bytes.h"
#include "hawser/net/ipv4.h"
#include "hawser/net/tcp.h"
#include "hawser/net/udp.h"
#include "headers.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

Verdict tcp_fault(const Packet& packet) noexcept {
  if (packet.l4_length < sizeof(net::TcpHeader)) return kTcpTruncated;
  if (readable(packet, packet.l4_offset) < sizeof(net::TcpHeader)) return kTcpTruncated;
  // Two bytes decide; a copy of the whole header would be written and read back for them.
  const std::uint8_t* const tcp = packet.data + packet.l4_offset;
  const std::uint8_t flags = tcp[offsetof(net::TcpHeader, flags)];
  const unsigned header = (tcp[offsetof(net::TcpHeader, data_offset_reserved)] >> 4U) * 4U;
  if (header < sizeof(net::TcpHeader) || header > packet.l4_length) return kTcpBadHeaderLength;
  constexpr unsigned kDecisive = net::kTcpSyn | net::kTcpFin | net::kTcpRst;
  const unsigned decisive = flags & kDecisive;
  const bool contradicts = std::popcount(decisive) > 1;
  if (contradicts || (flags & (kDecisive | net::kTcpAck)) == 0) return kTcpBadFlags;
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

// The transport header is there and sound.
void read_ports(Packet& packet) noexcept {
  packet.source_port = load<net::Big16>(packet.data + packet.l4_offset);
  packet.destination_port = load<net::Big16>(packet.data + packet.l4_offset + 2);
  if (packet.protocol != net::kProtocolTcp) return;
  packet.tcp_flags = packet.data[packet.l4_offset + offsetof(net::TcpHeader, flags)];
}

}  // namespace

void parse_transport(Packet& packet) noexcept {
  if (!has_ports(packet)) return;
  packet.fault = packet.protocol == net::kProtocolTcp ? tcp_fault(packet) : udp_fault(packet);
  if (packet.fault != kUndecided) return;
  read_ports(packet);
  if (packet.transport_checksum == ChecksumSeen::kBad) packet.fault = kTransportBadChecksum;
}

// Only the first piece has the transport header, and must have all of it; a second one that
// overlaps it could change the ports (RFC 1858 section 3, RFC 3128). The transport's own length and
// checksum are those of the whole: they are not looked at.
void parse_fragment(Packet& packet, unsigned offset) noexcept {
  constexpr unsigned kTcpHeaderUnits = (sizeof(net::TcpHeader) + 7) / 8;
  const bool tcp = packet.protocol == net::kProtocolTcp;
  if (offset != 0) {
    packet.part = Part::kLaterFragment;
    const bool overlaps = tcp && offset < kTcpHeaderUnits;
    if (overlaps || packet.l4_length == 0) packet.fault = kFragmentTiny;
    return;
  }
  packet.part = Part::kFirstFragment;
  if (!has_ports(packet)) return;
  const std::size_t needed = tcp ? sizeof(net::TcpHeader) : sizeof(net::UdpHeader);
  if (packet.l4_length < needed || readable(packet, packet.l4_offset) < needed) {
    packet.fault = kFragmentTiny;
    return;
  }
  read_ports(packet);
}

}  // namespace hawser::pipeline
