// The ARP packet for IPv4 over Ethernet (RFC 826).
#pragma once

#include <cstddef>
#include <cstring>

#include "hawser/net/address.h"
#include "hawser/net/endian.h"

namespace hawser::net {

inline constexpr Big16 kArpHardwareEthernet{1};
inline constexpr Big16 kArpRequest{1};
inline constexpr Big16 kArpReply{2};

// The addresses are kept as bytes: the packet puts IPv4 addresses at odd half-words.
struct ArpPacket {
  Big16 hardware_type;
  Big16 protocol_type;
  std::uint8_t hardware_length = 0;
  std::uint8_t protocol_length = 0;
  Big16 operation;
  MacAddress sender_mac;
  std::array<std::uint8_t, 4> sender_bytes{};
  MacAddress target_mac;
  std::array<std::uint8_t, 4> target_bytes{};

  [[nodiscard]] Ipv4Address sender() const noexcept { return address_of(sender_bytes); }
  [[nodiscard]] Ipv4Address target() const noexcept { return address_of(target_bytes); }
  void set_sender(Ipv4Address a) noexcept { std::memcpy(sender_bytes.data(), &a, 4); }
  void set_target(Ipv4Address a) noexcept { std::memcpy(target_bytes.data(), &a, 4); }

  // IPv4 over Ethernet, with the lengths that go with it.
  [[nodiscard]] constexpr bool is_ipv4_over_ethernet() const noexcept {
    return hardware_type == kArpHardwareEthernet && protocol_type.host() == 0x0800 &&
           hardware_length == 6 && protocol_length == 4;
  }

 private:
  [[nodiscard]] static Ipv4Address address_of(const std::array<std::uint8_t, 4>& raw) noexcept {
    Ipv4Address address;
    std::memcpy(&address, raw.data(), 4);
    return address;
  }
};
static_assert(sizeof(ArpPacket) == 28 && alignof(ArpPacket) <= 2);
static_assert(offsetof(ArpPacket, target_bytes) == 24);

}  // namespace hawser::net
