// Packets of the balancer's own: from headers to checksums.
//
// A segment is begun with its header, filled with its payload by the caller, and finished.
#pragma once

#include <optional>
#include <span>

#include "hawser/l4/sequence.h"
#include "hawser/l4/tcp_options.h"
#include "hawser/net/ethernet.h"
#include "hawser/net/ipv6.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// Who sends it to whom, as the receiver sees them.
struct Ends {
  net::IpAddress source;
  net::IpAddress destination;
  net::Big16 source_port;
  net::Big16 destination_port;
};

// What has come beyond the acknowledgement: [begin, end) (RFC 2018 section 3).
struct SackBlock {
  l4::Sequence begin;
  l4::Sequence end;
};

struct OwnSegment {
  l4::Sequence sequence;
  l4::Sequence acknowledgement;
  std::uint8_t flags = 0;
  std::uint16_t window = 0;  // as it stands in the header
  std::optional<l4::TcpTimestamps> timestamps;
  std::optional<SackBlock> block;
  // Of a SYN only.
  std::uint16_t mss = 0;
  bool sack = false;
  std::optional<std::uint8_t> window_scale;
};

// The longest frame of a segment without payload, with a VLAN tag to come.
inline constexpr std::size_t kBareSegment =
    sizeof(net::EthernetHeader) + 4 + sizeof(net::Ipv6Header) + limits::kMaxTcpHeader;

// Writes an IPv4 or IPv6 header for `segment` bytes of TCP. Its length.
std::size_t write_own_ip(std::uint8_t* at, const net::IpAddress& source,
                         const net::IpAddress& destination, std::size_t segment) noexcept;

// Bytes of the TCP header with its options.
[[nodiscard]] std::size_t header_length(const OwnSegment& segment) noexcept;

// Turns `packet` into a segment with room for `payload` bytes, behind an Ethernet header without
// tag. Where the payload goes; it must fit the packet's capacity.
[[nodiscard]] std::span<std::uint8_t> begin_segment(Packet& packet, const Ends& ends,
                                                    const OwnSegment& segment,
                                                    std::size_t payload) noexcept;

// Computes the TCP checksum, when the payload is there.
void finish_segment(Packet& packet, const Ends& ends) noexcept;

}  // namespace hawser::pipeline
