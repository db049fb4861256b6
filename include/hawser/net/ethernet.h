// The Ethernet II header (IEEE 802.3) and the EtherTypes Hawser knows.
#pragma once

#include <cstddef>

#include "hawser/net/address.h"
#include "hawser/net/endian.h"

namespace hawser::net {

inline constexpr Big16 kEtherTypeIpv4{0x0800};
inline constexpr Big16 kEtherTypeArp{0x0806};
inline constexpr Big16 kEtherTypeIpv6{0x86dd};

struct EthernetHeader {
  MacAddress destination;
  MacAddress source;
  Big16 ether_type;
};
static_assert(sizeof(EthernetHeader) == 14 && alignof(EthernetHeader) <= 2);
static_assert(offsetof(EthernetHeader, ether_type) == 12);

}  // namespace hawser::net
