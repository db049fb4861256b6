// A TCP segment as its ends see it, and the Ethernet frame that it travels in.
//
// Written without the core's wire structs and checksum: what tests them must not share them.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hawser/net/address.h"

namespace hawser::simulation {

using Frame = std::vector<std::uint8_t>;

struct Address {
  net::IpAddress ip;
  std::uint16_t port = 0;

  friend auto operator<=>(const Address&, const Address&) = default;
  [[nodiscard]] std::string text() const;  // "address port"
};

inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kReset = 0x04;
inline constexpr std::uint8_t kPush = 0x08;
inline constexpr std::uint8_t kAck = 0x10;

struct Timestamps {
  std::uint32_t value = 0;
  std::uint32_t echo = 0;
};

struct TcpSegment {
  Address source;
  Address destination;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 0;  // as it stands in the header
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> window_scale;
  bool sack_permitted = false;
  std::optional<Timestamps> timestamps;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> sack;  // at most four, three with timestamps
  std::string payload;

  [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
  // Bytes of sequence space.
  [[nodiscard]] std::uint32_t length() const noexcept;
  // For people.
  [[nodiscard]] std::string text() const;
};

// Bytes of the options, padded.
[[nodiscard]] std::size_t option_bytes(const TcpSegment& segment) noexcept;

[[nodiscard]] Frame frame_of(const TcpSegment& segment, const net::MacAddress& from,
                             const net::MacAddress& to);

// The segment of a frame. Nothing, and why not in `wrong`, when it is no whole TCP segment with
// well-formed options. Checksums are not looked at.
[[nodiscard]] std::optional<TcpSegment> read_frame(const Frame& frame, std::string& wrong);

}  // namespace hawser::simulation
