// The IPv6 header (RFC 8200 section 3).
#pragma once

#include <cstddef>

#include "hawser/net/address.h"
#include "hawser/net/endian.h"

namespace hawser::net {

// Extension headers by number (RFC 8200 section 4, RFC 4302, RFC 4303, RFC 7401, RFC 5533).
[[nodiscard]] constexpr bool is_ipv6_extension(std::uint8_t next_header) noexcept {
  return next_header == 0 || next_header == 43 || next_header == 44 || next_header == 50 ||
         next_header == 51 || next_header == 60 || next_header == 135 || next_header == 139 ||
         next_header == 140;
}

struct Ipv6Header {
  Big32 version_class_flow;
  Big16 payload_length;
  std::uint8_t next_header = 0;
  std::uint8_t hop_limit = 0;
  Ipv6Address source;
  Ipv6Address destination;

  [[nodiscard]] constexpr unsigned version() const noexcept {
    return version_class_flow.host() >> 28;
  }
};
static_assert(sizeof(Ipv6Header) == 40 && alignof(Ipv6Header) == 4);
static_assert(offsetof(Ipv6Header, source) == 8 && offsetof(Ipv6Header, destination) == 24);

}  // namespace hawser::net
