// The outer headers of tunnels, made in registers and written in words.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fragments.h"
#include "hawser/net/checksum.h"
#include "headers.h"

namespace hawser::pipeline {

// What the outer header takes from the inner packet.
struct Inner {
  std::uint16_t length = 0;
  std::uint8_t protocol = 0;       // of IP in IP
  std::uint8_t traffic_class = 0;  // DSCP and ECN
  bool may_fragment = false;
};

// `length`: bytes of the packet whose header is at `ip`.
template <typename Traits>
[[nodiscard]] Inner describe(const std::uint8_t* ip, std::size_t length) noexcept {
  const auto bytes = static_cast<std::uint16_t>(length);
  if constexpr (Traits::kFamily == net::Family::kIpv4) {
    const auto flags = load<net::Big16>(ip + offsetof(net::Ipv4Header, flags_fragment));
    return {.length = bytes,
            .protocol = net::kProtocolIpv4,
            .traffic_class = ip[offsetof(net::Ipv4Header, dscp_ecn)],
            .may_fragment = (flags.host() & net::kIpv4DontFragment) == 0};
  } else {
    return {.length = bytes,
            .protocol = net::kProtocolIpv6,
            .traffic_class = static_cast<std::uint8_t>(load<net::Big32>(ip).host() >> 20),
            .may_fragment = false};
  }
}

inline constexpr std::uint8_t kOuterTtl = 64;

// An IPv4 header of twenty bytes, in front of `payload` bytes.
inline void write_ipv4(std::uint8_t* at, net::Ipv4Address source, net::Ipv4Address destination,
                       std::uint8_t protocol, std::size_t payload, std::uint8_t traffic_class,
                       net::Big16 identification, net::Big16 flags) noexcept {
  const net::Big16 length(static_cast<std::uint16_t>(sizeof(net::Ipv4Header) + payload));
  const std::uint64_t first =
      0x45U | std::uint64_t{traffic_class} << 8 | std::uint64_t{length.raw()} << 16 |
      std::uint64_t{identification.raw()} << 32 | std::uint64_t{flags.raw()} << 48;
  const std::uint64_t second =
      kOuterTtl | std::uint64_t{protocol} << 8 | std::uint64_t{source.value.raw()} << 32;
  const std::uint32_t third = destination.value.raw();
  constexpr std::uint64_t kLow = 0xffffffff;
  const std::uint64_t sum =
      (first & kLow) + (first >> 32) + (second & kLow) + (second >> 32) + third;
  const auto checksum = static_cast<std::uint16_t>(~net::fold(sum));
  store(at, first);
  store(at + 8, second | std::uint64_t{checksum} << 16);
  store(at + 16, third);
}

inline void write_outer_ipv4(std::uint8_t* at, net::Ipv4Address source,
                             net::Ipv4Address destination, std::uint8_t protocol,
                             std::size_t payload, const Inner& inner,
                             WorkerState& worker) noexcept {
  // Only what may be fragmented on its way needs an identification (RFC 6864 section 4.1).
  const net::Big16 identification(
      inner.may_fragment ? static_cast<std::uint16_t>(take_identification(worker)) : 0);
  const net::Big16 flags(inner.may_fragment ? 0 : net::kIpv4DontFragment);
  write_ipv4(at, source, destination, protocol, payload, inner.traffic_class, identification,
             flags);
}

// `first`: traffic class and flow label.
inline void write_ipv6(std::uint8_t* at, const net::IpAddress& source,
                       const net::IpAddress& destination, std::uint8_t protocol,
                       std::size_t payload, std::uint32_t first) noexcept {
  const net::Big32 version(6U << 28 | first);
  const net::Big16 length(static_cast<std::uint16_t>(payload));
  store(at, std::uint64_t{version.raw()} | std::uint64_t{length.raw()} << 32 |
                std::uint64_t{protocol} << 48 | std::uint64_t{kOuterTtl} << 56);
  store(at + offsetof(net::Ipv6Header, source), source.bytes);
  store(at + offsetof(net::Ipv6Header, destination), destination.bytes);
}

// `hash`: of the flow. The flow label is entropy for those who spread by it (RFC 6438 section 3).
inline void write_outer_ipv6(std::uint8_t* at, const net::IpAddress& source,
                             const net::IpAddress& destination, std::uint8_t protocol,
                             std::size_t payload, const Inner& inner, std::uint64_t hash) noexcept {
  const auto label = static_cast<std::uint32_t>(hash >> 40) & 0xfffffU;
  write_ipv6(at, source, destination, protocol, payload,
             std::uint32_t{inner.traffic_class} << 20 | label);
}

inline void write_outer(std::uint8_t* at, const net::IpAddress& source,
                        const net::IpAddress& destination, std::uint8_t protocol,
                        std::size_t payload, const Inner& inner, std::uint64_t hash,
                        WorkerState& worker) noexcept {
  if (destination.is_ipv4()) {
    write_outer_ipv4(at, source.v4(), destination.v4(), protocol, payload, inner, worker);
  } else {
    write_outer_ipv6(at, source, destination, protocol, payload, inner, hash);
  }
}

// The source port of GUE carries entropy of the flow, from the dynamic range (RFC 6335 section 6).
[[nodiscard]] inline net::Big16 entropy_port(std::uint64_t hash) noexcept {
  return net::Big16(static_cast<std::uint16_t>(0xc000U | (hash >> 48)));
}

// The UDP header of GUE over IPv4, which may go without a checksum. `length`: of the inner packet.
inline void write_gue(std::uint8_t* at, std::uint64_t hash, net::Big16 port,
                      std::size_t length) noexcept {
  const net::Big16 bytes(static_cast<std::uint16_t>(sizeof(net::UdpHeader) + length));
  store(at, entropy_port(hash).raw() | std::uint64_t{port.raw()} << 16 |
                std::uint64_t{bytes.raw()} << 32);
}

}  // namespace hawser::pipeline
