// Segment: a TCP or UDP packet as plain values, and the frame that these values make.
//
// The model changes values; the frame is then written anew, with every checksum summed from scratch
// over the written bytes. Nothing here is shared with the pipeline but the types of addresses.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hawser/base/strong.h"
#include "hawser/net/address.h"

namespace hawser::property {

// The headers around a packet in a tunnel.
struct Tunnel {
  net::IpAddress source;
  net::IpAddress destination;
  std::uint16_t identification = 0;  // IPv4 only
  bool dont_fragment = true;         // IPv4 only
  std::uint32_t flow_label = 0;      // IPv6 only
  std::uint16_t source_port = 0;     // GUE only
  std::uint16_t gue_port = 0;        // 0: IP in IP
};

struct Segment;

// An ICMP error's message: what was wrong, and the begin of the packet it is about.
struct Complaint {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint32_t rest = 0;
  std::uint16_t quoted_bytes = 0;  // of the IP packet
  bool bad_checksum = false;
  std::shared_ptr<const Segment> quoted;
};

// Which part of the datagram a fragment carries.
struct Piece {
  std::uint16_t offset = 0;  // in units of eight bytes of the transport
  std::uint16_t length = 0;  // bytes
  bool more = false;
  std::uint32_t identification = 0;  // IPv4: 16 bits
};

struct Segment {
  PortId port_in;
  net::MacAddress from;
  net::MacAddress to;
  net::IpAddress source;
  net::IpAddress destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint8_t protocol = 0;
  std::uint8_t flags = 0;  // TCP only
  std::uint8_t ttl = 64;
  std::uint32_t traffic = 0;         // IPv4: DSCP and ECN; IPv6: traffic class and flow label
  std::uint16_t identification = 0;  // IPv4 only
  bool dont_fragment = false;        // IPv4 only
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint16_t window = 0;
  std::uint16_t payload = 0;           // bytes
  std::uint8_t fill = 0;               // what the payload begins with
  std::uint8_t ip_option_words = 0;    // IPv4 only
  std::uint8_t tcp_option_words = 0;   // TCP only
  std::uint8_t padding = 0;            // bytes behind the IP packet, as short Ethernet frames have
  std::uint16_t header_error = 0;      // added to a sound header checksum; IPv4 only
  std::uint16_t checksum_error = 0;    // added to a sound transport checksum
  bool without_checksum = false;       // UDP only
  bool found_bad_by_the_port = false;  // what the port says of the transport checksum
  std::optional<Piece> piece;          // none: the whole datagram
  std::optional<Complaint> complaint;  // none: TCP or UDP
  std::optional<Tunnel> outer;

  [[nodiscard]] bool is_tcp() const noexcept;
  // Moves its flow on, as whatever carries the flow's own transport header does.
  [[nodiscard]] bool is_of_flow() const noexcept { return !is_later_piece() && !complaint; }
  // A fragment that does not tell its ports.
  [[nodiscard]] bool is_later_piece() const noexcept { return piece && piece->offset != 0; }
  // TCP: SYN without ACK.
  [[nodiscard]] bool is_pure_syn() const noexcept;
  [[nodiscard]] bool has(std::uint8_t tcp_flag) const noexcept { return (flags & tcp_flag) != 0; }
};

// The whole frame without FCS.
[[nodiscard]] std::vector<std::uint8_t> frame_of(const Segment& segment);

// Bytes of that frame.
[[nodiscard]] std::size_t frame_length(const Segment& segment);

// Bytes of the IP headers, without Ethernet.
[[nodiscard]] std::size_t ip_bytes(const Segment& segment);
// Bytes of the whole IP packet.
[[nodiscard]] std::size_t packet_bytes(const Segment& segment);

// Where the transport checksum lies in the frame, bytes.
[[nodiscard]] std::size_t checksum_offset(const Segment& segment);

// One line for people.
[[nodiscard]] std::string to_string(const Segment& segment);

}  // namespace hawser::property
