// TCP segments inside Ethernet frames: found, checked, cut into smaller ones, joined to larger
// ones.
//
// Written without the core's own wire structs and checksum: what tests them must not share them.
// Untagged frames only. Threading: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "random.h"

namespace hawser::adversary {

using Frame = std::vector<std::uint8_t>;

inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kReset = 0x04;
inline constexpr std::uint8_t kPush = 0x08;
inline constexpr std::uint8_t kUrgent = 0x20;

inline constexpr std::size_t kEthernetLength = 14;

// Where the parts of a whole, unfragmented TCP segment lie in its frame.
struct Segment {
  bool ipv6 = false;
  std::size_t tcp = 0;      // offset of the TCP header
  std::size_t payload = 0;  // offset of the first byte behind the options
  std::size_t end = 0;      // offset behind the last byte; what follows is padding

  [[nodiscard]] std::size_t length() const noexcept { return end - payload; }
};

// Nothing when the frame is no such segment: another protocol, a fragment, cut short.
[[nodiscard]] std::optional<Segment> find_tcp(const Frame& frame);

// Whether the IPv4 header's and TCP's checksums are right.
[[nodiscard]] bool checksums_right(const Frame& frame, const Segment& segment);

[[nodiscard]] std::uint8_t flags_of(const Frame& frame, const Segment& segment);

// Addresses and ports of the segment, as the key of a map.
[[nodiscard]] std::string flow_of(const Frame& frame, const Segment& segment);

// The same for segments of the other direction.
[[nodiscard]] std::string other_way(const std::string& flow);

// What the sender of a SYN says it can receive (RFC 9293 section 3.7.1), bytes; the default of the
// family when it says nothing.
[[nodiscard]] std::size_t announced_mss(const Frame& frame, const Segment& segment);

// Bytes of the largest IP packet that a receiver with this `mss` may be sent.
[[nodiscard]] std::size_t largest_packet(const Segment& segment, std::size_t mss);

// May be cut and joined: carries data, and neither SYN, RST nor urgent data.
[[nodiscard]] bool is_plain_data(const Frame& frame, const Segment& segment);

// Cuts the payload anywhere into two to `most` pieces. Sequence numbers, lengths and checksums are
// right; options are kept on each; PSH and FIN are on the last only.
[[nodiscard]] std::vector<Frame> split(const Frame& frame, const Segment& segment, std::size_t most,
                                       Random& random);

// Joins `second` to `first` when it continues it with the same shape of header and options and
// the IP packet stays within `mtu` bytes. Acknowledgement, window, flags and timestamps are the
// second's.
[[nodiscard]] std::optional<Frame> merge(const Frame& first, const Frame& second, std::size_t mtu);

}  // namespace hawser::adversary
