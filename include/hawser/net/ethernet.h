// The Ethernet II header (IEEE 802.3), the VLAN tag (IEEE 802.1Q), the EtherTypes Hawser knows.
#pragma once

#include <cstddef>

#include "hawser/base/bytes.h"
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

// A MAC address in the low 48 bits of a word, as it lies on the wire. On the packets' way addresses
// travel like this, in registers: a struct of six bytes is copied in pieces, and reading it back in
// other pieces waits for the stores.
[[nodiscard]] inline std::uint64_t mac_word(const std::uint8_t* at) noexcept {
  return load<std::uint32_t>(at) | std::uint64_t{load<std::uint16_t>(at + 4)} << 32;
}
[[nodiscard]] inline std::uint64_t mac_word(const MacAddress& mac) noexcept {
  return mac_word(mac.bytes.data());
}

// Writes the fourteen bytes of the header; bits above the addresses' 48 do not matter.
inline void write_ethernet(std::uint8_t* at, std::uint64_t destination, std::uint64_t source,
                           Big16 ether_type) noexcept {
  constexpr std::uint64_t kAddress = (std::uint64_t{1} << 48) - 1;
  store(at, (destination & kAddress) | source << 48);
  store(at + 8, static_cast<std::uint32_t>(source >> 16));
  store(at + 12, ether_type);
}

// The 802.1Q tag, behind an Ethernet header whose type is kEtherTypeVlan.
struct VlanTag {
  Big16 control;  // priority (3 bits), drop eligible (1), VLAN (12)
  Big16 ether_type;

  [[nodiscard]] constexpr std::uint16_t vlan() const noexcept { return control.host() & 0x0fffU; }
};
static_assert(sizeof(VlanTag) == 4);

}  // namespace hawser::net
