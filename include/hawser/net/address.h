// Addresses: MAC, IPv4, IPv6, either family, prefixes and endpoints; their text forms.
//
// All are trivially copyable and hold bytes in network order, so they can be hashed, compared and
// stored into packets as they are. Text follows RFC 5952 for IPv6.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "hawser/base/result.h"
#include "hawser/net/endian.h"

namespace hawser::net {

struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  [[nodiscard]] constexpr bool is_multicast() const noexcept { return (bytes[0] & 1) != 0; }
  [[nodiscard]] constexpr bool is_zero() const noexcept { return *this == MacAddress{}; }
  friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;
};
inline constexpr MacAddress kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static_assert(sizeof(MacAddress) == 6);

struct Ipv4Address {
  Big32 value{};

  friend constexpr auto operator<=>(const Ipv4Address&, const Ipv4Address&) = default;
};
static_assert(sizeof(Ipv4Address) == 4);

struct Ipv6Address {
  std::array<std::uint8_t, 16> bytes{};

  // The solicited-node multicast group of this address (RFC 4291 section 2.7.1).
  [[nodiscard]] constexpr Ipv6Address solicited_node() const noexcept {
    return {{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, bytes[13], bytes[14], bytes[15]}};
  }
  [[nodiscard]] constexpr bool is_multicast() const noexcept { return bytes[0] == 0xff; }
  [[nodiscard]] constexpr bool is_link_local() const noexcept {
    return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  }
  // The Ethernet group this multicast address is sent to (RFC 2464 section 7).
  [[nodiscard]] constexpr MacAddress multicast_mac() const noexcept {
    return {{0x33, 0x33, bytes[12], bytes[13], bytes[14], bytes[15]}};
  }
  friend constexpr auto operator<=>(const Ipv6Address&, const Ipv6Address&) = default;
};
static_assert(sizeof(Ipv6Address) == 16);

enum class Family : std::uint8_t { kIpv4, kIpv6 };

// An address of either family. An IPv4 address lies in the first four bytes, the rest is zero.
// Aligned, so that it is copied in words that do not overlap.
struct alignas(4) IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  Family family = Family::kIpv4;

  constexpr IpAddress() = default;
  constexpr IpAddress(Ipv4Address v4) noexcept {  // NOLINT: implicit, loses nothing
    const std::uint32_t host = v4.value.host();
    for (unsigned i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(host >> (24 - 8 * i));
  }
  constexpr IpAddress(const Ipv6Address& v6) noexcept  // NOLINT: implicit, loses nothing
      : bytes(v6.bytes), family(Family::kIpv6) {}

  [[nodiscard]] constexpr bool is_ipv4() const noexcept { return family == Family::kIpv4; }
  // Only for an IPv4 address.
  [[nodiscard]] constexpr Ipv4Address v4() const noexcept {
    return {Big32((std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) |
                  (std::uint32_t{bytes[2]} << 8) | bytes[3])};
  }
  // Only for an IPv6 address.
  [[nodiscard]] constexpr Ipv6Address v6() const noexcept { return {bytes}; }
  // Bytes of the address on the wire: 4 or 16.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return is_ipv4() ? 4 : 16; }
  // Zero, loopback, multicast or broadcast: nothing a service or backend may have.
  [[nodiscard]] bool is_special() const noexcept;
  // 127.0.0.0/8 or ::1.
  [[nodiscard]] bool is_loopback() const noexcept;

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

// An address with the length of its network part, in bits, such as 10.0.0.2/24.
struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;

  [[nodiscard]] bool contains(const IpAddress& other) const noexcept;
  friend constexpr auto operator<=>(const Prefix&, const Prefix&) = default;
};

// `address` with all but its first `length` bits cleared.
[[nodiscard]] IpAddress masked(const IpAddress& address, unsigned length) noexcept;

[[nodiscard]] Result<MacAddress> parse_mac(std::string_view text);
[[nodiscard]] Result<IpAddress> parse_address(std::string_view text);
// `10.0.0.0/8`, `fd00::/64`; without a length, the whole address.
[[nodiscard]] Result<Prefix> parse_prefix(std::string_view text);

[[nodiscard]] std::string to_string(const MacAddress& mac);
[[nodiscard]] std::string to_string(const IpAddress& address);
// The same without allocating; how many characters. 46 hold any address.
std::size_t format_to(std::span<char, 46> out, const IpAddress& address) noexcept;
[[nodiscard]] std::string to_string(const Prefix& prefix);
// `10.0.0.1:80`, `[fd00::1]:80`.
[[nodiscard]] std::string endpoint_to_string(const IpAddress& address, std::uint16_t port);

// The address whose network-order bytes are `raw` (4 or 16 of them), as in the socket protocol.
[[nodiscard]] Result<IpAddress> address_from_bytes(std::string_view raw);
[[nodiscard]] std::string address_to_bytes(const IpAddress& address);

}  // namespace hawser::net
