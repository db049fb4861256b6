// The chain of IPv6 extension headers (RFC 8200 section 4): where the transport header begins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "hawser/net/endian.h"

namespace hawser::net {

// RFC 8200 section 4.5.
struct Ipv6FragmentHeader {
  std::uint8_t next_header = 0;
  std::uint8_t reserved = 0;
  Big16 offset_more;  // offset in units of eight bytes (13 bits), reserved (2), more follow (1)
  Big32 identification;

  // In units of eight bytes.
  [[nodiscard]] constexpr unsigned offset() const noexcept { return offset_more.host() >> 3U; }
  [[nodiscard]] constexpr bool more() const noexcept { return (offset_more.host() & 1U) != 0; }
};
static_assert(sizeof(Ipv6FragmentHeader) == 8);

enum class ChainFault : std::uint8_t {
  kNone,
  kUnsupported,  // a header that hides what follows or must not be passed on (RFC 5095)
  kBroken,       // beyond the bytes there are, or more headers than limits::kMaxExtensionHeaders
};

struct Ipv6Chain {
  std::uint8_t protocol = 0;          // of what follows the chain
  std::uint16_t length = 0;           // bytes of all extension headers
  std::uint16_t fragment_offset = 0;  // bytes to the fragment header, from the chain's begin
  bool has_fragment = false;
  ChainFault fault = ChainFault::kNone;
};

// Walks the chain that begins at `bytes` with a header of type `first`. Stops at a fragment header
// whose offset is not 0: what follows it is payload. Cost: a few instructions a header.
[[nodiscard]] Ipv6Chain walk_chain(std::uint8_t first,
                                   std::span<const std::uint8_t> bytes) noexcept;

}  // namespace hawser::net
