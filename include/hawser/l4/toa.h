// The TOA option ("TCP option address"): tells a backend the client's address behind full NAT.
//
// The convention is that of the Linux kernel module toa, which Alibaba published with FULLNAT for
// LVS and which DPVS ships: kind 254, then the length, the client's port and its address, both in
// network order. With the module loaded, getpeername() on the backend answers with the client.
// Kind 254 is one of the two for experiments (RFC 4727) and is used here without the
// experiment's identifier that RFC 6994 asks for, so a backend must be known to expect it. There
// are older modules that take 253 for IPv6; this is the form of DPVS, 254 for both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "hawser/base/bytes.h"
#include "hawser/net/address.h"

namespace hawser::l4 {

inline constexpr std::uint8_t kToaKind = 254;
// Bytes of the option; both are multiples of four, so it needs no padding.
inline constexpr std::size_t kToaIpv4 = 8;
inline constexpr std::size_t kToaIpv6 = 20;

// The option without its address.
struct ToaStart {
  std::uint8_t kind = kToaKind;
  std::uint8_t length = 0;
  net::Big16 port;
};
static_assert(sizeof(ToaStart) == 4 && std::is_trivially_copyable_v<ToaStart>);
static_assert(sizeof(ToaStart) + sizeof(net::Ipv4Address) == kToaIpv4);
static_assert(sizeof(ToaStart) + sizeof(net::Ipv6Address) == kToaIpv6);

[[nodiscard]] constexpr std::size_t toa_length(net::Family family) noexcept {
  return family == net::Family::kIpv4 ? kToaIpv4 : kToaIpv6;
}

// Writes the option to the start of `out`. Its length in bytes; 0, and nothing written, when `out`
// is shorter than that.
[[nodiscard]] inline std::size_t write_toa(std::span<std::uint8_t> out,
                                           const net::IpAddress& client,
                                           net::Big16 client_port) noexcept {
  const std::size_t length = toa_length(client.family);
  if (out.size() < length) return 0;
  store(out.data(), ToaStart{.length = static_cast<std::uint8_t>(length), .port = client_port});
  std::memcpy(out.data() + sizeof(ToaStart), client.bytes.data(), client.size());
  return length;
}

}  // namespace hawser::l4
