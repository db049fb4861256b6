// ICMPv6 neighbour discovery messages (RFC 4861 sections 4.3, 4.4, 4.6.1).
#pragma once

#include <cstddef>

#include "hawser/net/address.h"
#include "hawser/net/endian.h"

namespace hawser::net {

inline constexpr std::uint8_t kIcmpv6NeighbourSolicitation = 135;
inline constexpr std::uint8_t kIcmpv6NeighbourAdvertisement = 136;
inline constexpr std::uint8_t kNdSourceLinkLayer = 1;
inline constexpr std::uint8_t kNdTargetLinkLayer = 2;

// Flags of an advertisement, in the first byte of `flags_reserved`.
inline constexpr std::uint32_t kNdSolicited = 0x40000000;
inline constexpr std::uint32_t kNdOverride = 0x20000000;

struct Icmpv6Header {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  Big16 checksum;
};
static_assert(sizeof(Icmpv6Header) == 4);

// A solicitation or an advertisement, without options.
struct NeighbourMessage {
  Icmpv6Header icmp;
  Big32 flags_reserved;
  Ipv6Address target;
};
static_assert(sizeof(NeighbourMessage) == 24 && offsetof(NeighbourMessage, target) == 8);

// The link-layer address option that both carry.
struct LinkLayerOption {
  std::uint8_t type = 0;
  std::uint8_t length = 1;  // in units of 8 bytes
  MacAddress mac;
};
static_assert(sizeof(LinkLayerOption) == 8);

}  // namespace hawser::net
