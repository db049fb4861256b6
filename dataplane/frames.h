// The frames of neighbour resolution: building questions, reading what others tell.
//
// ARP for IPv4 (RFC 826), neighbour discovery for IPv6 (RFC 4861). Pure functions of their
// arguments, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "hawser/net/address.h"

namespace hawser::dataplane {

// Ethernet, IPv6, neighbour solicitation and one option: the longest frame built here, bytes.
inline constexpr std::size_t kLongestProbe = 14 + 40 + 24 + 8;

struct Frame {
  std::array<std::uint8_t, kLongestProbe> bytes{};
  std::size_t length = 0;

  [[nodiscard]] std::span<const std::uint8_t> span() const noexcept {
    return {bytes.data(), length};
  }
};

// Who asks.
struct Asker {
  net::MacAddress mac;
  net::IpAddress address;  // of the family of the target
};

// "Who has `target`?": an ARP request or a neighbour solicitation. To `last_known` when given (does
// it still answer there?), else to everybody who may have it.
[[nodiscard]] Frame probe(const Asker& asker, const net::IpAddress& target,
                          const std::optional<net::MacAddress>& last_known) noexcept;

// The link-local address a port has by its MAC address (RFC 4291 appendix A).
[[nodiscard]] net::Ipv6Address link_local(const net::MacAddress& mac) noexcept;

// What a frame tells about who is where.
struct NeighbourNews {
  net::IpAddress address;
  std::optional<net::MacAddress> mac;  // none: an advertisement that only confirms
  bool solicited = false;              // it answers a question: the way there and back works
  bool overrides = true;               // it may replace what was known (RFC 4861 section 4.4)
};

// Reads ARP requests and replies, neighbour solicitations and advertisements. Nothing when `frame`
// is none of these, is malformed (RFC 4861 section 7.1), or names no sender.
[[nodiscard]] std::optional<NeighbourNews> read_news(std::span<const std::uint8_t> frame) noexcept;

}  // namespace hawser::dataplane
