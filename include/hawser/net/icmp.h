// ICMP messages that concern flows (RFC 792, RFC 1191, RFC 4443): echo and errors.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hawser/net/address.h"
#include "hawser/net/endian.h"

namespace hawser::net {

// Echo: identifier and sequence in `rest`. Errors: quoted packet behind the header; the next hop's
// MTU in the low half of `rest` (fragmentation needed, RFC 1191) or in all of it (packet too big).
struct IcmpHeader {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  Big16 checksum;
  Big32 rest;
};
static_assert(sizeof(IcmpHeader) == 8 && offsetof(IcmpHeader, checksum) == 2);

inline constexpr std::uint8_t kIcmpEchoReply = 0;
inline constexpr std::uint8_t kIcmpUnreachable = 3;
inline constexpr std::uint8_t kIcmpFragmentationNeeded = 4;  // code of unreachable
inline constexpr std::uint8_t kIcmpSourceQuench = 4;
inline constexpr std::uint8_t kIcmpRedirect = 5;
inline constexpr std::uint8_t kIcmpEchoRequest = 8;
inline constexpr std::uint8_t kIcmpTimeExceeded = 11;
inline constexpr std::uint8_t kIcmpParameterProblem = 12;

inline constexpr std::uint8_t kIcmpv6Unreachable = 1;
inline constexpr std::uint8_t kIcmpv6PacketTooBig = 2;
inline constexpr std::uint8_t kIcmpv6TimeExceeded = 3;
inline constexpr std::uint8_t kIcmpv6ParameterProblem = 4;
inline constexpr std::uint8_t kIcmpv6EchoRequest = 128;
inline constexpr std::uint8_t kIcmpv6EchoReply = 129;

// An error that quotes the packet it is about and that the sender of that packet wants to know.
// Redirects and source quench are about the way or deprecated (RFC 6633): nobody's flow.
[[nodiscard]] constexpr bool is_icmp_error(Family family, std::uint8_t type) noexcept {
  if (family == Family::kIpv4) {
    return type == kIcmpUnreachable || type == kIcmpTimeExceeded || type == kIcmpParameterProblem;
  }
  return type >= kIcmpv6Unreachable && type <= kIcmpv6ParameterProblem;
}

}  // namespace hawser::net
