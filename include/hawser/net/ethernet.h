// The Ethernet II header (IEEE 802.3), the VLAN tag (IEEE 802.1Q), the EtherTypes Hawser knows.
#pragma once

#include <cstddef>

#include "hawser/net/address.h"
#include "hawser/net/endian.h"

namespace hawser::net {

inline constexpr Big16 kEtherTypeIpv4{0x0800};
inline constexpr Big16 kEtherTypeArp{0x0806};
inline constexpr Big16 kEtherTypeIpv6{0x86dd};
inline constexpr Big16 kEtherTypeVlan{0x8100};

struct EthernetHeader {
  MacAddress destination;
  MacAddress source;
  Big16 ether_type;
};
static_assert(sizeof(EthernetHeader) == 14 && alignof(EthernetHeader) <= 2);
static_assert(offsetof(EthernetHeader, ether_type) == 12);

// The 802.1Q tag, behind an Ethernet header whose type is kEtherTypeVlan.
struct VlanTag {
  Big16 control;  // priority (3 bits), drop eligible (1), VLAN (12)
  Big16 ether_type;

  [[nodiscard]] constexpr std::uint16_t vlan() const noexcept { return control.host() & 0x0fffU; }
};
static_assert(sizeof(VlanTag) == 4);

}  // namespace hawser::net
