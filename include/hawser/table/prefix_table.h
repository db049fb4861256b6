// Prefix table: whether a source address is on a list, by its longest matching prefix.
//
// The rules are flattened into ranges: the addresses at which the answer changes, in order, and the
// answer from each on. These boundaries lie in buckets of 32 bytes (IPv4) or a cache line (IPv6),
// each bucket for an equal part of the space between the lowest and the highest boundary:
//
//   | header | 7 boundaries |   header: 8 answers of 2 bits, or kNode and the number of a node
//
// A look-up computes the bucket and counts the boundaries not above the address, without a branch
// that depends on data; the count says which answer. Where a part has more boundaries than a bucket
// holds, as in a dense network, the bucket names a node with buckets of its own.
//
// IPv6 is searched by its upper 64 bits. Where prefixes longer than /64 are below them, the answer
// is kInside: the lower 64 bits are searched among the boundaries below this upper half. Groups of
// these lie in order; the upper 32 bits of an IPv6 header count those before the bucket.
//
// Threading: immutable after build.
// Memory: 32 bytes an IPv4 prefix, 64 an IPv6 one and 50 more inside a /64, when they lie apart.
// Cost: one cache line, rarely two, two more inside a /64; 5 ns (IPv4) and 9 ns (IPv6) of 100 000
// prefixes. Look-ups in a row overlap as they are; prefetch is for those with work in between.
#pragma once

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "hawser/base/bytes.h"
#include "hawser/base/prefetch.h"
#include "hawser/net/address.h"

namespace hawser::table {

enum class Access : std::uint8_t { kUnlisted, kAllowed, kDenied };

// Bits of the address beyond the length do not matter. kUnlisted takes a part out of a longer list.
struct PrefixRule {
  net::Prefix prefix;
  Access access = Access::kUnlisted;
};

// From this key on, up to the next boundary, the answer is `value` (two bits).
template <typename Key>
struct Boundary {
  Key from{};
  std::uint8_t value = 0;
};

// Ordered boundaries, searched as described above. Key is an unsigned integer of 32 or 64 bits.
template <typename Key>
class BoundaryIndex {
 public:
  // The value whose boundaries are counted.
  static constexpr std::uint8_t kInside = 3;

  // `boundaries` ascend and differ. Below the first of them the value is 0.
  explicit BoundaryIndex(std::span<const Boundary<Key>> boundaries);

  [[nodiscard]] std::uint8_t find(Key key) const noexcept {
    const Bucket& bucket = bucket_of(key);
    return static_cast<std::uint8_t>((bucket.header >> (2 * passed(bucket, key))) & 3U);
  }
  // Boundaries to kInside that are not above `key`. Only of 64-bit keys, and not of the largest,
  // which passes unused keys.
  [[nodiscard]] std::uint32_t insides(Key key) const noexcept {
    const Bucket& bucket = bucket_of(key);
    // The answer before the first boundary counts for an earlier bucket.
    const auto values = static_cast<std::uint32_t>(bucket.header) & 0xfffcU;
    const std::uint32_t not_above = (1U << (2 * passed(bucket, key) + 2)) - 1;
    const auto here =
        static_cast<std::uint32_t>(std::popcount(values & (values >> 1) & 0x5555U & not_above));
    return static_cast<std::uint32_t>(std::uint64_t{bucket.header} >> 32) + here;
  }
  void prefetch(Key key) const noexcept { prefetch_line(&buckets_[place(root_, key)]); }
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  using Signed = std::make_signed_t<Key>;
  static constexpr std::uint32_t kNode = 1U << 31;
  static constexpr std::size_t kKeys = 7;
  // Boundaries of a bucket on average. They come in pairs, for a prefix has two ends; at a third of
  // what fits, few buckets need a node.
  static constexpr std::size_t kLoad = 2;

  struct alignas(8 * sizeof(Key)) Bucket {
    Key header = 0;                    // the n-th two bits count when n keys are not above
    std::array<Signed, kKeys> keys{};  // see ordered(); unused ones are the largest key
  };
  static_assert(sizeof(Bucket) == 8 * sizeof(Key));

  // Equal parts of a part of the key space, a bucket for each.
  struct Node {
    Key lowest = 0;
    std::uint32_t furthest = 0;  // distance from lowest, shifted; further keys count as this
    std::uint32_t first_bucket = 0;
    std::uint64_t scale = 0;  // buckets for each shifted distance, in 2^-32
    unsigned shift = 0;       // makes a distance fit 32 bits
  };

  [[nodiscard]] static std::size_t place(const Node& node, Key key) noexcept {
    const Key distance = key >= node.lowest ? key - node.lowest : 0;
    const auto near = std::min<Key>(distance >> node.shift, node.furthest);
    return node.first_bucket + ((near * node.scale) >> 32);
  }
  [[nodiscard]] const Bucket& bucket_of(Key key) const noexcept {
    const Bucket* bucket = &buckets_[place(root_, key)];
    while ((bucket->header & kNode) != 0) {
      bucket = &buckets_[place(nodes_[bucket->header & (kNode - 1)], key)];
    }
    return *bucket;
  }

  // Keys are kept so that they order as signed integers, which is what AVX2 compares.
  [[nodiscard]] static Signed ordered(Key key) noexcept {
    return static_cast<Signed>(key ^ Key{1} << (8 * sizeof(Key) - 1));
  }
  // How many boundaries of a bucket are not above `key`.
  [[nodiscard]] static unsigned passed(const Bucket& bucket, Key key) noexcept {
#ifdef __AVX2__
    const auto* at = reinterpret_cast<const __m256i*>(&bucket);
    unsigned above = 0;  // a bit for the header, which says nothing, and one for each key
    if constexpr (sizeof(Key) == 4) {
      const __m256i wanted = _mm256_set1_epi32(ordered(key));
      const __m256i greater = _mm256_cmpgt_epi32(_mm256_load_si256(at), wanted);
      above = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(greater)));
    } else {
      const __m256i wanted = _mm256_set1_epi64x(ordered(key));
      const __m256i low = _mm256_cmpgt_epi64(_mm256_load_si256(at), wanted);
      const __m256i high = _mm256_cmpgt_epi64(_mm256_load_si256(at + 1), wanted);
      above = static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(low))) |
              static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(high))) << 4;
    }
    return static_cast<unsigned>(std::countr_zero(above >> 1 | 1U << kKeys));
#else
    unsigned count = 0;
    for (const Signed boundary : bucket.keys) count += boundary <= ordered(key) ? 1U : 0U;
    return count;
#endif
  }

  // What the boundaries so far leave off with.
  struct Before {
    std::uint8_t value = 0;
    std::uint32_t insides = 0;
  };
  void fill(std::size_t node, std::span<const Boundary<Key>> boundaries, Before& before);
  static void fill(Bucket& bucket, std::span<const Boundary<Key>> boundaries, Before& before);

  Node root_;
  std::vector<Bucket> buckets_;
  std::vector<Node> nodes_;  // the first is the root, too
};

class PrefixTable {
 public:
  // Of two rules for the same prefix the larger Access wins: denied before allowed. At most
  // kMaxPrefixes rules (limits.h).
  [[nodiscard]] static std::shared_ptr<const PrefixTable> build(std::span<const PrefixRule> rules);

  [[nodiscard]] Access find(net::Ipv4Address address) const noexcept {
    return static_cast<Access>(ipv4_.find(address.value.host()));
  }
  [[nodiscard]] Access find(const net::Ipv6Address& address) const noexcept {
    const auto upper = net::byte_swap(load<std::uint64_t>(address.bytes.data()));
    const std::uint8_t value = ipv6_.find(upper);
    if (value != kInside) [[likely]]
      return static_cast<Access>(value);
    return find_inside(upper, net::byte_swap(load<std::uint64_t>(address.bytes.data() + 8)));
  }

  // Fetches the cache line that find reads first.
  void prefetch(net::Ipv4Address address) const noexcept { ipv4_.prefetch(address.value.host()); }
  void prefetch(const net::Ipv6Address& address) const noexcept {
    ipv6_.prefetch(net::byte_swap(load<std::uint64_t>(address.bytes.data())));
  }

  // Memory of the table.
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  static constexpr std::uint8_t kInside = BoundaryIndex<std::uint64_t>::kInside;

  // The IPv6 rules by halves, as build makes them: boundaries of upper halves; where the lower
  // ones of each kInside begin, and where the last end; the lower ones, from 0 on in each group.
  struct Halves {
    std::vector<Boundary<std::uint64_t>> upper;
    std::vector<std::uint32_t> groups;
    std::vector<Boundary<std::uint64_t>> lower;
  };

  PrefixTable(std::span<const Boundary<std::uint32_t>> ipv4, Halves ipv6);
  [[nodiscard]] static Halves halves(std::span<const PrefixRule> rules);
  [[nodiscard]] Access find_inside(std::uint64_t upper, std::uint64_t lower) const noexcept;

  BoundaryIndex<std::uint32_t> ipv4_;
  BoundaryIndex<std::uint64_t> ipv6_;
  std::vector<std::uint32_t> groups_;
  std::vector<Boundary<std::uint64_t>> lower_;
};

}  // namespace hawser::table
