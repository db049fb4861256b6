// The keyed hash of a flow's five-tuple: XXH3 with a secret made from the key.
//
// The key is random and secret, so nobody outside can aim collisions at a bucket or a slot. Every
// balancer with the same key gives a flow the same hash. Cost: about 3 ns (IPv4), 5 ns (IPv6).
// Reference: xxHash 0.8, XXH3_64bits_withSecret. Threading: immutable after construction.
#pragma once

#include <array>
#include <cstdint>

#include "hawser/base/bytes.h"
#include "hawser/net/address.h"
#include "hawser/net/endian.h"

namespace hawser::hash {

// What is hashed, padded with zeros: no uninitialised byte may reach the hash.
struct Ipv4Tuple {
  net::Ipv4Address source;
  net::Ipv4Address destination;
  net::Big16 source_port;
  net::Big16 destination_port;
  std::uint32_t protocol = 0;
};
static_assert(sizeof(Ipv4Tuple) == 16);

struct Ipv6Tuple {
  net::Ipv6Address source;
  net::Ipv6Address destination;
  net::Big16 source_port;
  net::Big16 destination_port;
  std::uint32_t protocol = 0;
};
static_assert(sizeof(Ipv6Tuple) == 40);

class FlowHash {
 public:
  static constexpr std::size_t kKeyBytes = 32;
  using Key = std::array<std::uint8_t, kKeyBytes>;

  explicit FlowHash(const Key& key) noexcept;

  // XXH3 of sixteen bytes, here so that the tuple never leaves the registers it is made in.
  [[nodiscard]] std::uint64_t operator()(const Ipv4Tuple& tuple) const noexcept {
    __extension__ using Wide = unsigned __int128;
    const std::uint64_t addresses =
        tuple.source.value.raw() | std::uint64_t{tuple.destination.value.raw()} << 32;
    const std::uint64_t low = addresses ^ flips_[0];
    const std::uint64_t high = tail(tuple) ^ flips_[1];
    const Wide product = Wide{low} * high;
    std::uint64_t sum = sizeof(tuple) + __builtin_bswap64(low) + high;
    sum += static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
    sum = (sum ^ (sum >> 37)) * 0x165667919e3779f9ULL;
    return sum ^ (sum >> 32);
  }
  [[nodiscard]] std::uint64_t operator()(const Ipv6Tuple& tuple) const noexcept;
  // The same by xxHash itself, for tests: a hash that changed would move every flow.
  [[nodiscard]] std::uint64_t by_library(const Ipv4Tuple& tuple) const noexcept;

 private:
  // Ports and protocol as they lie in a tuple. Tuples are made field by field; read in words of
  // eight bytes they would wait for the stores, so the words are put together in registers.
  template <typename Tuple>
  [[nodiscard]] static std::uint64_t tail(const Tuple& tuple) noexcept {
    return std::uint64_t{tuple.source_port.raw()} |
           std::uint64_t{tuple.destination_port.raw()} << 16 | std::uint64_t{tuple.protocol} << 32;
  }

  std::array<std::uint64_t, 2> flips_{};  // what the secret does to sixteen bytes
  // XXH3_SECRET_SIZE_MIN is 136; the default secret's size costs nothing more.
  alignas(64) std::array<std::uint8_t, 192> secret_{};
};

// A fixed, unkeyed hash of a name: where a backend stands in its service's table must not depend on
// the process. XXH3 with seed.
[[nodiscard]] std::uint64_t name_hash(std::string_view name, std::uint64_t seed) noexcept;

// A bijective mix of 64 bits (the finaliser of MurmurHash3), for scores made of two hashes.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

// Maps a hash onto 0..n-1 without division, by its upper 32 bits (Lemire, 2019).
[[nodiscard]] constexpr std::uint32_t reduce(std::uint64_t hash, std::uint32_t n) noexcept {
  return static_cast<std::uint32_t>(((hash >> 32) * n) >> 32);
}

}  // namespace hawser::hash
