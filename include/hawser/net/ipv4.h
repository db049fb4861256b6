// The IPv4 header (RFC 791 section 3.1), without options.
#pragma once

#include <cstddef>

#include "hawser/net/address.h"
#include "hawser/net/endian.h"

namespace hawser::net {

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolIpv4 = 4;   // IP in IP (RFC 2003)
inline constexpr std::uint8_t kProtocolIpv6 = 41;  // IPv6 in IP (RFC 4213, RFC 2473)
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIcmpv6 = 58;

// Bits of Ipv4Header::flags_fragment; the rest is the offset in units of eight bytes.
inline constexpr std::uint16_t kIpv4DontFragment = 0x4000;
inline constexpr std::uint16_t kIpv4MoreFragments = 0x2000;
inline constexpr std::uint16_t kIpv4OffsetMask = 0x1fff;

struct Ipv4Header {
  std::uint8_t version_ihl = 0;
  std::uint8_t dscp_ecn = 0;
  Big16 total_length;
  Big16 identification;
  Big16 flags_fragment;
  std::uint8_t ttl = 0;
  std::uint8_t protocol = 0;
  Big16 checksum;
  Ipv4Address source;
  Ipv4Address destination;

  [[nodiscard]] constexpr unsigned version() const noexcept { return version_ihl >> 4; }
  // Bytes of the header with its options, as it claims.
  [[nodiscard]] constexpr unsigned header_length() const noexcept {
    return (version_ihl & 0x0fU) * 4U;
  }
  // Any fragment: the first (more fragments follow) or a later one (offset above 0).
  [[nodiscard]] constexpr bool is_fragment() const noexcept {
    return (flags_fragment.host() & (kIpv4MoreFragments | kIpv4OffsetMask)) != 0;
  }
  // In units of eight bytes.
  [[nodiscard]] constexpr unsigned fragment_offset() const noexcept {
    return flags_fragment.host() & kIpv4OffsetMask;
  }
  [[nodiscard]] constexpr bool may_fragment() const noexcept {
    return (flags_fragment.host() & kIpv4DontFragment) == 0;
  }
};
static_assert(sizeof(Ipv4Header) == 20 && alignof(Ipv4Header) == 4);
static_assert(offsetof(Ipv4Header, ttl) == 8 && offsetof(Ipv4Header, source) == 12);

}  // namespace hawser::net
