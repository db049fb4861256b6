// Turning a TCP segment into the reset that answers it.
#include "reset.h"

#include <utility>

#include "hawser/net/checksum.h"
#include "hawser/net/ethernet.h"
#include "headers.h"

namespace hawser::pipeline {
namespace {

constexpr std::uint8_t kResetTtl = 64;  // RFC 1700's default, as Linux sends

// Sequence numbers of the answer, from the segment it answers.
net::TcpHeader reset_header(const net::TcpHeader& segment, std::uint32_t payload) noexcept {
  net::TcpHeader reset;
  reset.source_port = segment.destination_port;
  reset.destination_port = segment.source_port;
  reset.data_offset_reserved = (sizeof(net::TcpHeader) / 4) << 4U;
  if ((segment.flags & net::kTcpAck) != 0) {
    reset.sequence = segment.acknowledgement;
    reset.flags = net::kTcpRst;
    return reset;
  }
  const bool syn = (segment.flags & net::kTcpSyn) != 0;
  const bool fin = (segment.flags & net::kTcpFin) != 0;
  const std::uint32_t occupied = payload + (syn ? 1 : 0) + (fin ? 1 : 0);
  reset.acknowledgement = net::Big32(segment.sequence.host() + occupied);
  reset.flags = net::kTcpRst | net::kTcpAck;
  return reset;
}

net::Ipv4Header answer_header(const net::Ipv4Header& asked) noexcept {
  net::Ipv4Header ip;
  ip.version_ihl = 0x45;
  ip.total_length = net::Big16(sizeof(net::Ipv4Header) + sizeof(net::TcpHeader));
  ip.flags_fragment = net::Big16(0x4000);  // don't fragment
  ip.ttl = kResetTtl;
  ip.protocol = net::kProtocolTcp;
  ip.source = asked.destination;
  ip.destination = asked.source;
  std::array<std::uint8_t, sizeof(ip)> bytes{};
  store(bytes.data(), ip);
  ip.checksum = net::checksum(bytes);
  return ip;
}

net::Ipv6Header answer_header(const net::Ipv6Header& asked) noexcept {
  net::Ipv6Header ip;
  ip.version_class_flow = net::Big32(6U << 28);
  ip.payload_length = net::Big16(sizeof(net::TcpHeader));
  ip.next_header = net::kProtocolTcp;
  ip.hop_limit = kResetTtl;
  ip.source = asked.destination;
  ip.destination = asked.source;
  return ip;
}

template <typename Traits>
void write_reset(Packet& packet) noexcept {
  const auto segment = load<net::TcpHeader>(packet.data + packet.l4_offset);
  const std::uint32_t payload = packet.l4_length - segment.header_length();
  const auto ip = answer_header(load<typename Traits::Header>(packet.data + packet.l3_offset));
  net::TcpHeader reset = reset_header(segment, payload);
  std::array<std::uint8_t, sizeof(reset)> bytes{};
  store(bytes.data(), reset);
  reset.checksum = net::checksum(
      bytes, net::pseudo_header_sum(net::IpAddress(ip.source), net::IpAddress(ip.destination),
                                    net::kProtocolTcp, sizeof(reset)));
  store(packet.data + packet.l3_offset, ip);
  store(packet.data + packet.l3_offset + sizeof(ip), reset);
  packet.l4_offset = static_cast<std::uint16_t>(packet.l3_offset + sizeof(ip));
  packet.l4_length = sizeof(reset);
  packet.length = static_cast<std::uint16_t>(packet.l4_offset + packet.l4_length);
  packet.contiguous = packet.length;
}

}  // namespace

void become_reset(Packet& packet) noexcept {
  auto ethernet = load<net::EthernetHeader>(packet.data);
  std::swap(ethernet.source, ethernet.destination);
  store(packet.data, ethernet);
  packet.port_out = packet.port_in;
  if (packet.family == net::Family::kIpv4) {
    write_reset<Ipv4Traits>(packet);
  } else {
    write_reset<Ipv6Traits>(packet);
  }
}

}  // namespace hawser::pipeline
