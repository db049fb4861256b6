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
    const std::uint64_t addresses =
        tuple.source.value.raw() | std::uint64_t{tuple.destination.value.raw()} << 32;
    const std::uint64_t low = addresses ^ flips_[0];
    const std::uint64_t high = tail(tuple) ^ flips_[1];
    return avalanche(sizeof(tuple) + __builtin_bswap64(low) + high + folded(low, high));
  }
  // XXH3 of forty bytes: every pair of neighbouring words but one.
  [[nodiscard]] std::uint64_t operator()(const Ipv6Tuple& tuple) const noexcept {
    const auto word = [](const net::Ipv6Address& address, std::size_t at) {
      return load<std::uint64_t>(address.bytes.data() + at);
    };
    const std::uint64_t source[2] = {word(tuple.source, 0), word(tuple.source, 8)};
    const std::uint64_t target[2] = {word(tuple.destination, 0), word(tuple.destination, 8)};
    std::uint64_t sum = sizeof(tuple) * 0x9e3779b185ebca87ULL;
    sum += folded(target[0] ^ secret(32), target[1] ^ secret(40));
    sum += folded(source[1] ^ secret(48), target[0] ^ secret(56));
    sum += folded(source[0] ^ secret(0), source[1] ^ secret(8));
    sum += folded(target[1] ^ secret(16), tail(tuple) ^ secret(24));
    return avalanche(sum);
  }
  // The same by xxHash itself, for tests: a hash that changed would move every flow.
  [[nodiscard]] std::uint64_t by_library(const Ipv4Tuple& tuple) const noexcept;
  [[nodiscard]] std::uint64_t by_library(const Ipv6Tuple& tuple) const noexcept;

 private:
  // Both halves of the product in one word.
  [[nodiscard]] static std::uint64_t folded(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
  }
  [[nodiscard]] static std::uint64_t avalanche(std::uint64_t sum) noexcept {
    sum = (sum ^ (sum >> 37)) * 0x165667919e3779f9ULL;
    return sum ^ (sum >> 32);
  }
  [[nodiscard]] std::uint64_t secret(std::size_t at) const noexcept {
    return load<std::uint64_t>(secret_.data() + at);
  }
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

// Spreads a word that nobody aims over small tables, in three cycles: CRC-32C, where the processor
// has it. Linear, so never for what comes from outside and could be chosen to collide.
[[nodiscard]] inline std::uint64_t spread(std::uint64_t word, std::uint64_t seed = 0) noexcept {
#if defined(__SSE4_2__)
  return __builtin_ia32_crc32di(seed, word);
#else
  return mix(word ^ seed);
#endif
}

// Maps a hash onto 0..n-1 without division, by its upper 32 bits (Lemire, 2019).
[[nodiscard]] constexpr std::uint32_t reduce(std::uint64_t hash, std::uint32_t n) noexcept {
  return static_cast<std::uint32_t>(((hash >> 32) * n) >> 32);
}

}  // namespace hawser::hash
