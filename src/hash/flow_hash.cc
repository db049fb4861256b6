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
}

std::uint64_t FlowHash::operator()(const Ipv4Tuple& tuple) const noexcept {
  return XXH3_64bits_withSecret(&tuple, sizeof(tuple), secret_.data(), secret_.size());
}

std::uint64_t FlowHash::operator()(const Ipv6Tuple& tuple) const noexcept {
  return XXH3_64bits_withSecret(&tuple, sizeof(tuple), secret_.data(), secret_.size());
}

std::uint64_t name_hash(std::string_view name, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(name.data(), name.size(), seed);
}

}  // namespace hawser::hash
