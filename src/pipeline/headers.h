// What several stages read from and write to a packet's headers.
#pragma once

#include <cstddef>

#include "hawser/base/bytes.h"
#include "hawser/net/address.h"
#include "hawser/net/endian.h"
#include "hawser/net/ipv4.h"
#include "hawser/net/ipv6.h"
#include "hawser/net/tcp.h"
#include "hawser/net/udp.h"
#include "hawser/pipeline/packet.h"

namespace hawser::pipeline {

// The two families, as the stages that treat them alike need them.
struct Ipv4Traits {
  using Header = net::Ipv4Header;
  using Address = net::Ipv4Address;
  static constexpr net::Family kFamily = net::Family::kIpv4;
};
struct Ipv6Traits {
  using Header = net::Ipv6Header;
  using Address = net::Ipv6Address;
  static constexpr net::Family kFamily = net::Family::kIpv6;
};

template <typename Traits>
[[nodiscard]] inline typename Traits::Address source_address(const Packet& packet) noexcept {
  return load<typename Traits::Address>(packet.data + kL3Offset +
                                        offsetof(typename Traits::Header, source));
}
template <typename Traits>
[[nodiscard]] inline typename Traits::Address destination_address(const Packet& packet) noexcept {
  return load<typename Traits::Address>(packet.data + kL3Offset +
                                        offsetof(typename Traits::Header, destination));
}

// TCP and UDP begin alike.
static_assert(offsetof(net::TcpHeader, source_port) == offsetof(net::UdpHeader, source_port));
static_assert(offsetof(net::TcpHeader, destination_port) ==
              offsetof(net::UdpHeader, destination_port));

[[nodiscard]] inline net::Big16 source_port(const Packet& packet) noexcept {
  return load<net::Big16>(packet.data + packet.l4_offset);
}
[[nodiscard]] inline net::Big16 destination_port(const Packet& packet) noexcept {
  return load<net::Big16>(packet.data + packet.l4_offset + 2);
}

}  // namespace hawser::pipeline
