// Writes headers of the balancer's own segments.
#include "own_packet.h"

#include "headers.h"
#include "outer_header.h"

namespace hawser::pipeline {
namespace {

struct MssOption {
  std::uint8_t kind = l4::kTcpOptionMss;
  std::uint8_t length = 4;
  net::Big16 mss;
};
static_assert(sizeof(MssOption) == 4);

// SACK-permitted fills the two bytes that otherwise align the timestamps (RFC 7323 appendix A).
struct TimestampsOption {
  std::uint8_t padding[2] = {l4::kTcpOptionNop, l4::kTcpOptionNop};
  std::uint8_t kind = l4::kTcpOptionTimestamps;
  std::uint8_t length = 10;
  net::Big32 value;
  net::Big32 echo;
};
static_assert(sizeof(TimestampsOption) == 12);

struct SackOption {
  std::uint8_t padding[2] = {l4::kTcpOptionNop, l4::kTcpOptionNop};
  std::uint8_t kind = l4::kTcpOptionSack;
  std::uint8_t length = 10;
  net::Big32 begin;
  net::Big32 end;
};
static_assert(sizeof(SackOption) == 12);

constexpr std::size_t kWord = 4;

std::uint8_t* put_sack(std::uint8_t* at) noexcept {
  at[0] = l4::kTcpOptionSackPermitted;
  at[1] = 2;
  return at;
}

// The options in the order Linux writes them.
void write_options(std::uint8_t* at, const OwnSegment& segment) noexcept {
  if (segment.mss != 0) {
    store(at, MssOption{.mss = net::Big16(segment.mss)});
    at += sizeof(MssOption);
  }
  if (segment.timestamps) {
    TimestampsOption option;
    option.value = net::Big32(segment.timestamps->value);
    option.echo = net::Big32(segment.timestamps->echo);
    store(at, option);
    if (segment.sack) put_sack(at);
    at += sizeof(option);
  } else if (segment.sack) {
    put_sack(at);
    at[2] = at[3] = l4::kTcpOptionNop;
    at += kWord;
  }
  if (segment.window_scale) {
    at[0] = l4::kTcpOptionNop;
    at[1] = l4::kTcpOptionWindowScale;
    at[2] = 3;
    at[3] = *segment.window_scale;
    at += kWord;
  }
  if (segment.block) {
    SackOption option;
    option.begin = net::Big32(segment.block->begin.value);
    option.end = net::Big32(segment.block->end.value);
    store(at, option);
  }
}

}  // namespace

std::size_t write_own_ip(std::uint8_t* at, const net::IpAddress& source,
                         const net::IpAddress& destination, std::size_t segment) noexcept {
  if (source.is_ipv4()) {
    write_ipv4(at, source.v4(), destination.v4(), net::kProtocolTcp, segment, 0, {},
               net::Big16(net::kIpv4DontFragment));
    return sizeof(net::Ipv4Header);
  }
  write_ipv6(at, source, destination, net::kProtocolTcp, segment, 0);
  return sizeof(net::Ipv6Header);
}

std::size_t header_length(const OwnSegment& segment) noexcept {
  std::size_t bytes = sizeof(net::TcpHeader);
  if (segment.mss != 0) bytes += sizeof(MssOption);
  if (segment.timestamps) {
    bytes += sizeof(TimestampsOption);
  } else if (segment.sack) {
    bytes += kWord;
  }
  if (segment.window_scale) bytes += kWord;
  if (segment.block) bytes += sizeof(SackOption);
  return bytes;
}

std::span<std::uint8_t> begin_segment(Packet& packet, const Ends& ends, const OwnSegment& segment,
                                      std::size_t payload) noexcept {
  const std::size_t header = header_length(segment);
  packet.family = ends.source.family;
  packet.protocol = net::kProtocolTcp;
  packet.part = Part::kWhole;
  packet.tcp_flags = segment.flags;
  packet.l3_offset = sizeof(net::EthernetHeader);
  std::uint8_t* const ip = packet.data + packet.l3_offset;
  const std::size_t ip_header = write_own_ip(ip, ends.source, ends.destination, header + payload);
  std::uint8_t* const at = ip + ip_header;
  const auto offset = static_cast<std::uint8_t>(header / 4 << 4U);
  store(at, ends.source_port.raw() | std::uint32_t{ends.destination_port.raw()} << 16);
  store(at + 4, net::Big32(segment.sequence.value));
  store(at + 8, net::Big32(segment.acknowledgement.value));
  store(at + 12, offset | std::uint32_t{segment.flags} << 8 |
                     std::uint32_t{net::Big16(segment.window).raw()} << 16);
  store(at + 16, std::uint32_t{0});  // checksum, urgent pointer
  write_options(at + sizeof(net::TcpHeader), segment);
  packet.l4_offset = static_cast<std::uint16_t>(packet.l3_offset + ip_header);
  packet.l4_length = static_cast<std::uint16_t>(header + payload);
  packet.length = static_cast<std::uint16_t>(packet.l4_offset + packet.l4_length);
  packet.contiguous = packet.length;
  return {at + header, payload};
}

void finish_segment(Packet& packet, const Ends& ends) noexcept {
  std::uint8_t* const tcp = packet.data + packet.l4_offset;
  store(tcp + offsetof(net::TcpHeader, checksum), net::Big16());
  const net::Big16 sum = net::checksum(
      {tcp, packet.l4_length},
      net::pseudo_header_sum(ends.source, ends.destination, net::kProtocolTcp, packet.l4_length));
  store(tcp + offsetof(net::TcpHeader, checksum), sum);
}

}  // namespace hawser::pipeline
