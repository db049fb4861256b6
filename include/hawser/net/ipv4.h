// The IPv4 header (RFC 791 section 3.1), without options.
#pragma once

#include <cstddef>

#include "hawser/net/address.h"
#include "hawser/net/endian.h"

namespace hawser::net {

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIcmpv6 = 58;

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
    return (flags_fragment.host() & 0x3fffU) != 0;
  }
};
static_assert(sizeof(Ipv4Header) == 20 && alignof(Ipv4Header) == 4);
static_assert(offsetof(Ipv4Header, ttl) == 8 && offsetof(Ipv4Header, source) == 12);

}  // namespace hawser::net
