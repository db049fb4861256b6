// Frames for tests and benchmarks: TCP and UDP over IPv4 and IPv6, with sound checksums.
#pragma once

#include <array>
#include <vector>

#include "hawser/base/bytes.h"
#include "hawser/net/checksum.h"
#include "hawser/net/ethernet.h"
#include "hawser/net/ipv4.h"
#include "hawser/net/ipv6.h"
#include "hawser/net/tcp.h"
#include "hawser/net/udp.h"
#include "hawser/pipeline/packet.h"

namespace hawser::tests {

struct FrameSpec {
  net::MacAddress from{{0x02, 0, 0, 0, 0, 0xc1}};
  net::MacAddress to{{0x02, 0, 0, 0, 0, 0x01}};
  net::IpAddress source;
  net::IpAddress destination;
  std::uint16_t source_port = 40000;
  std::uint16_t destination_port = 80;
  std::uint8_t protocol = net::kProtocolTcp;
  std::uint8_t tcp_flags = net::kTcpSyn;
  std::size_t payload = 0;
};

inline void append(std::vector<std::uint8_t>& frame, const auto& header) {
  const std::size_t at = frame.size();
  frame.resize(at + sizeof(header));
  store(frame.data() + at, header);
}

inline void append_ip(std::vector<std::uint8_t>& frame, const FrameSpec& spec, std::size_t length) {
  if (spec.source.is_ipv4()) {
    net::Ipv4Header ip;
    ip.version_ihl = 0x45;
    ip.total_length = net::Big16(static_cast<std::uint16_t>(sizeof(ip) + length));
    ip.ttl = 64;
    ip.protocol = spec.protocol;
    ip.source = spec.source.v4();
    ip.destination = spec.destination.v4();
    std::array<std::uint8_t, sizeof(ip)> bytes{};
    store(bytes.data(), ip);
    ip.checksum = net::checksum(bytes);
    append(frame, ip);
    return;
  }
  net::Ipv6Header ip;
  ip.version_class_flow = net::Big32(6U << 28);
  ip.payload_length = net::Big16(static_cast<std::uint16_t>(length));
  ip.next_header = spec.protocol;
  ip.hop_limit = 64;
  ip.source = spec.source.v6();
  ip.destination = spec.destination.v6();
  append(frame, ip);
}

// The whole frame, without FCS and without padding.
inline std::vector<std::uint8_t> frame(const FrameSpec& spec) {
  const bool tcp = spec.protocol == net::kProtocolTcp;
  const std::size_t header = tcp ? sizeof(net::TcpHeader) : sizeof(net::UdpHeader);
  const std::size_t length = header + spec.payload;
  std::vector<std::uint8_t> bytes;
  append(bytes, net::EthernetHeader{.destination = spec.to,
                                    .source = spec.from,
                                    .ether_type = spec.source.is_ipv4() ? net::kEtherTypeIpv4
                                                                        : net::kEtherTypeIpv6});
  append_ip(bytes, spec, length);
  const std::size_t transport = bytes.size();
  std::size_t checksum_at = transport + offsetof(net::TcpHeader, checksum);
  if (tcp) {
    net::TcpHeader header_bytes;
    header_bytes.source_port = net::Big16(spec.source_port);
    header_bytes.destination_port = net::Big16(spec.destination_port);
    header_bytes.sequence = net::Big32(1000);
    header_bytes.acknowledgement = net::Big32((spec.tcp_flags & net::kTcpAck) != 0 ? 2000 : 0);
    header_bytes.data_offset_reserved = 0x50;
    header_bytes.flags = spec.tcp_flags;
    header_bytes.window = net::Big16(0xffff);
    append(bytes, header_bytes);
  } else {
    append(bytes, net::UdpHeader{.source_port = net::Big16(spec.source_port),
                                 .destination_port = net::Big16(spec.destination_port),
                                 .length = net::Big16(static_cast<std::uint16_t>(length)),
                                 .checksum = {}});
    checksum_at = transport + offsetof(net::UdpHeader, checksum);
  }
  for (std::size_t i = 0; i < spec.payload; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  const net::Big16 sum =
      net::checksum({bytes.data() + transport, length},
                    net::pseudo_header_sum(spec.source, spec.destination, spec.protocol,
                                           static_cast<std::uint32_t>(length)));
  store(bytes.data() + checksum_at, sum);
  return bytes;
}

// A Packet over bytes that the caller keeps. A forwarding mode that adds headers needs room before
// them: see with_headroom.
inline pipeline::Packet packet_over(std::vector<std::uint8_t>& bytes, PortId port = PortId(0)) {
  pipeline::Packet packet;
  packet.data = bytes.data();
  packet.length = static_cast<std::uint16_t>(bytes.size());
  packet.contiguous = static_cast<std::uint16_t>(bytes.size());
  packet.capacity = static_cast<std::uint16_t>(bytes.size());
  packet.port_in = port;
  return packet;
}

// A Packet over a copy of `bytes` in `buffer`, with limits::kHeadroom before it.
inline pipeline::Packet with_headroom(std::span<const std::uint8_t> bytes,
                                      std::vector<std::uint8_t>& buffer, PortId port = PortId(0)) {
  buffer.assign(limits::kHeadroom, 0);
  buffer.insert(buffer.end(), bytes.begin(), bytes.end());
  pipeline::Packet packet;
  packet.data = buffer.data() + limits::kHeadroom;
  packet.length = static_cast<std::uint16_t>(bytes.size());
  packet.contiguous = packet.length;
  packet.capacity = packet.length;
  packet.port_in = port;
  return packet;
}

// Both checksums of an IP packet without options verify.
inline bool checksums_hold(std::span<const std::uint8_t> bytes) {
  const auto ethernet = load<net::EthernetHeader>(bytes.data());
  const std::uint8_t* at = bytes.data() + sizeof(ethernet);
  if (ethernet.ether_type == net::kEtherTypeIpv4) {
    const auto ip = load<net::Ipv4Header>(at);
    const std::uint32_t length = ip.total_length.host() - ip.header_length();
    const bool header = net::fold(net::sum_bytes({at, ip.header_length()})) == 0xffff;
    const std::uint64_t pseudo = net::pseudo_header_sum(
        net::IpAddress(ip.source), net::IpAddress(ip.destination), ip.protocol, length);
    return header && net::fold(net::sum_bytes({at + ip.header_length(), length}, pseudo)) == 0xffff;
  }
  const auto ip = load<net::Ipv6Header>(at);
  const std::uint32_t length = ip.payload_length.host();
  const std::uint64_t pseudo = net::pseudo_header_sum(
      net::IpAddress(ip.source), net::IpAddress(ip.destination), ip.next_header, length);
  return net::fold(net::sum_bytes({at + sizeof(ip), length}, pseudo)) == 0xffff;
}

}  // namespace hawser::tests
