// XXH3 with a secret made from the flow key.
#include "hawser/hash/flow_hash.h"

#include <cstring>

// Inputs are shorter than 240 bytes, where xxHash uses no vectors.
#define XXH_VECTOR XXH_SCALAR
#define XXH_INLINE_ALL
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

namespace hawser::hash {

FlowHash::FlowHash(const Key& key) noexcept {
  static_assert(sizeof(secret_) >= XXH3_SECRET_SIZE_MIN);
  // Every 8 bytes of the secret are a hash of the whole key under another seed.
  for (std::size_t i = 0; i < secret_.size(); i += 8) {
    const XXH64_hash_t word = XXH3_64bits_withSeed(key.data(), key.size(), i);
    std::memcpy(secret_.data() + i, &word, sizeof(word));
  }
  const auto word = [&](std::size_t at) { return load<std::uint64_t>(secret_.data() + at); };
  flips_ = {word(24) ^ word(32), word(40) ^ word(48)};
}

std::uint64_t FlowHash::by_library(const Ipv4Tuple& tuple) const noexcept {
  return XXH3_64bits_withSecret(&tuple, sizeof(tuple), secret_.data(), secret_.size());
}

std::uint64_t FlowHash::by_library(const Ipv6Tuple& tuple) const noexcept {
  std::array<std::uint64_t, 5> words{};
  static_assert(sizeof(words) == sizeof(tuple));
  std::memcpy(words.data(), tuple.source.bytes.data(), 16);
  std::memcpy(words.data() + 2, tuple.destination.bytes.data(), 16);
  words[4] = tail(tuple);
  return XXH3_64bits_withSecret(words.data(), sizeof(words), secret_.data(), secret_.size());
}

std::uint64_t name_hash(std::string_view name, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(name.data(), name.size(), seed);
}

}  // namespace hawser::hash
