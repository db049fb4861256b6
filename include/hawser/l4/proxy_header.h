// The PROXY protocol header, version 2: tells a backend the client's address ahead of its data.
//
// Source: haproxy's doc/proxy-protocol.txt, section 2.2 (binary header format).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "hawser/net/address.h"

namespace hawser::l4 {

// Bytes of a header for TCP without further fields (TLV).
inline constexpr std::size_t kProxyHeaderIpv4 = 28;
inline constexpr std::size_t kProxyHeaderIpv6 = 52;

[[nodiscard]] constexpr std::size_t proxy_header_length(net::Family family) noexcept {
  return family == net::Family::kIpv4 ? kProxyHeaderIpv4 : kProxyHeaderIpv6;
}

// Writes the header of a proxied TCP connection from `source` to `destination`, the two as the
// client sees them, to the start of `out`. Its length in bytes; 0, and nothing written, when `out`
// is shorter than that or the addresses are of different families.
[[nodiscard]] std::size_t write_proxy_header(std::span<std::uint8_t> out,
                                             const net::IpAddress& source, net::Big16 source_port,
                                             const net::IpAddress& destination,
                                             net::Big16 destination_port) noexcept;

}  // namespace hawser::l4
