// The flow table: which backend a known flow belongs to.
//
// Layout: an array of 64-byte buckets, four IPv4 entries or two IPv6 entries in each. A flow lives
// in one of two buckets: the first comes from the flow hash, the second lies at a distance that
// follows from the entry's key. It goes to the first unless that is full; when both are full, one
// entry of the eight may step aside into its other bucket. An entry holds what identifies the flow
// beside its service (client address and port; the service stands for destination and protocol),
// and 64 bits of state:
//
//   63      48 47    44 43         24 23                     0
//   | seen (s) | state | backend id   | NAT address and port |
//
// State kFree marks an empty entry; a zeroed table is empty. A pointer to an entry is good until
// the next insert.
//
// Threading: one worker owns a table. Another thread may read `live`.
// Cost: a hit in the first bucket is one cache line, prefetched a burst ahead; a miss is two.
// Reference: Azar et al., "Balanced Allocations", 1994; Pagh and Rodler, "Cuckoo Hashing", 2004.
#pragma once

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "hawser/base/bytes.h"
#include "hawser/base/limits.h"
#include "hawser/base/prefetch.h"
#include "hawser/base/strong.h"
#include "hawser/base/time.h"
#include "hawser/hash/flow_hash.h"
#include "hawser/l4/tcp_state.h"
#include "hawser/net/address.h"
#include "hawser/stats/counter.h"

namespace hawser::table {

// The 64 bits of state of a flow.
class FlowMeta {
 public:
  static constexpr std::uint32_t kNoNat = 0;

  constexpr FlowMeta() noexcept = default;
  constexpr FlowMeta(CoarseTime seen, l4::FlowState state, BackendId backend,
                     std::uint32_t nat) noexcept
      : bits_(std::uint64_t{seen.seconds} << 48 |
              std::uint64_t{static_cast<std::uint8_t>(state)} << 44 |
              std::uint64_t{backend.value & 0xfffffU} << 24 | (nat & 0xffffffU)) {}

  [[nodiscard]] constexpr CoarseTime seen() const noexcept {
    return {static_cast<std::uint16_t>(bits_ >> 48)};
  }
  [[nodiscard]] constexpr l4::FlowState state() const noexcept {
    return static_cast<l4::FlowState>((bits_ >> 44) & 0xfU);
  }
  [[nodiscard]] constexpr BackendId backend() const noexcept {
    return BackendId(static_cast<std::uint32_t>(bits_ >> 24) & 0xfffffU);
  }
  // NAT address slot (8 bits) and local port (16 bits); kNoNat for a flow without.
  [[nodiscard]] constexpr std::uint32_t nat() const noexcept {
    return static_cast<std::uint32_t>(bits_) & 0xffffffU;
  }
  [[nodiscard]] constexpr bool is_free() const noexcept { return state() == l4::FlowState::kFree; }

  constexpr void touch(CoarseTime now, l4::FlowState state) noexcept {
    *this = FlowMeta(now, state, backend(), nat());
  }

 private:
  std::uint64_t bits_ = 0;
};
static_assert(sizeof(FlowMeta) == 8);

struct alignas(16) Ipv4Flow {
  using Address = net::Ipv4Address;
  net::Ipv4Address client;
  net::Big16 client_port;
  ServiceId service;
  FlowMeta meta;

  // The key is read and written as one word: written in parts, it could not be read as a whole for
  // a while. `rest`: port and service as they lie here.
  [[nodiscard]] bool has(Address address, std::uint32_t rest) const noexcept {
    return load<std::uint64_t>(reinterpret_cast<const std::uint8_t*>(this)) ==
           word_of(address, rest);
  }
  void write(Address address, std::uint32_t rest) noexcept {
    store(reinterpret_cast<std::uint8_t*>(this), word_of(address, rest));
  }
  [[nodiscard]] static std::uint64_t word_of(Address address, std::uint32_t rest) noexcept {
    return address.value.raw() | std::uint64_t{rest} << 32;
  }
};
static_assert(sizeof(Ipv4Flow) == 16 && std::is_trivially_copyable_v<Ipv4Flow>);

struct alignas(32) Ipv6Flow {
  using Address = net::Ipv6Address;
  net::Ipv6Address client;
  net::Big16 client_port;
  ServiceId service;
  std::uint32_t unused = 0;
  FlowMeta meta;

  [[nodiscard]] bool has(const Address& address, std::uint32_t rest) const noexcept {
    const auto* const own = reinterpret_cast<const std::uint8_t*>(this);
    const auto* const wanted = address.bytes.data();
    const auto word = [](const std::uint8_t* at) { return load<std::uint64_t>(at); };
    const std::uint64_t differs = (word(own) ^ word(wanted)) | (word(own + 8) ^ word(wanted + 8)) |
                                  (word(own + offsetof(Ipv6Flow, client_port)) ^ rest);
    return differs == 0;  // as `unused` is
  }
  void write(const Address& address, std::uint32_t rest) noexcept {
    client = address;
    store(reinterpret_cast<std::uint8_t*>(this) + offsetof(Ipv6Flow, client_port),
          std::uint64_t{rest});
  }
};
static_assert(sizeof(Ipv6Flow) == 32 && std::is_trivially_copyable_v<Ipv6Flow>);

// Which entries of a bucket have this key, a bit each. All are compared before anyone decides:
// which of them it is cannot be predicted.
template <typename Flow, std::size_t kCount>
[[nodiscard]] unsigned match_each(const std::array<Flow, kCount>& flows,
                                  const typename Flow::Address& address,
                                  std::uint32_t rest) noexcept {
  unsigned found = 0;
  for (unsigned i = 0; i < kCount; ++i) found |= unsigned{flows[i].has(address, rest)} << i;
  return found;
}
// The same, two entries at a time where the processor can.
template <typename Flow, std::size_t kCount>
[[nodiscard]] unsigned match_any(const std::array<Flow, kCount>& flows,
                                 const typename Flow::Address& address,
                                 std::uint32_t rest) noexcept {
#if defined(__AVX2__)
  if constexpr (sizeof(Flow) == 16 && kCount == 4) {
    const __m256i wanted = _mm256_set1_epi64x(static_cast<long long>(Flow::word_of(address, rest)));
    const auto compare = [&](std::size_t first) {
      const __m256i two = _mm256_load_si256(reinterpret_cast<const __m256i*>(&flows[first]));
      return _mm256_cmpeq_epi64(two, wanted);
    };
    // The keys are the even words of each pair; packed, a byte of the mask is a word.
    const __m256i keys = _mm256_unpacklo_epi64(compare(0), compare(2));  // flows 0, 2, 1, 3
    const auto found = static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(keys)));
    return (found & 0b1001U) | (found & 0b0010U) << 1 | (found & 0b0100U) >> 1;
  }
#endif
  return match_each(flows, address, rest);
}

template <typename Flow>
class FlowTable {
 public:
  using Address = typename Flow::Address;
  static constexpr std::size_t kPerBucket = 64 / sizeof(Flow);
  struct alignas(64) Bucket {
    std::array<Flow, kPerBucket> flows;
  };
  static_assert(sizeof(Bucket) == 64);

  struct Key {
    Address client;
    net::Big16 client_port;
    ServiceId service;
  };

  // Buckets that hold `flows` flows at three quarters full: a power of two, at least two.
  [[nodiscard]] static constexpr std::size_t buckets_for(std::size_t flows) noexcept {
    const std::size_t entries = flows + flows / 3;
    std::size_t buckets = 2;
    while (buckets * kPerBucket < entries) buckets *= 2;
    return buckets;
  }

  // `memory` must be zeroed, outlive the table, and have a power of two of buckets, at least two.
  explicit FlowTable(std::span<Bucket> memory) noexcept
      : buckets_(memory), mask_(memory.size() - 1) {}

  void prefetch(std::uint64_t hash) const noexcept { prefetch_line(&buckets_[first(hash)]); }

  // The second bucket too, for a flow that is probably new: only a miss looks there.
  void prefetch_both(const Key& key, std::uint64_t hash) const noexcept {
    prefetch(hash);
    prefetch_line(&buckets_[other_bucket(key, first(hash))]);
  }

  [[nodiscard]] Flow* find(const Key& key, std::uint64_t hash) noexcept {
    const std::size_t at = first(hash);
    if (Flow* flow = match(buckets_[at], key)) return flow;
    return match(buckets_[other_bucket(key, at)], key);
  }

  // An entry for a flow that find did not find, holding key and meta; null when both buckets are
  // full and nobody can step aside. `meta` must not be free.
  [[nodiscard]] Flow* insert(const Key& key, std::uint64_t hash, FlowMeta meta) noexcept {
    const std::size_t at = first(hash);
    const std::size_t other = other_bucket(key, at);
    Flow* flow = free_entry(buckets_[at]);
    if (flow == nullptr) flow = free_entry(buckets_[other]);
    if (flow == nullptr) flow = step_aside(at);
    if (flow == nullptr) flow = step_aside(other);
    if (flow == nullptr) return nullptr;
    flow->write(key.client, rest_of(key));
    flow->meta = meta;
    live_.add(1);
    return flow;
  }

  // A key that is left behind would match: service 0 is nobody's.
  void release(Flow& flow) noexcept {
    flow = Flow();
    live_.subtract(1);
  }

  // Calls `visit(flow)` for each flow in the two buckets where `key` may live.
  template <typename Visit>
  void visit_candidates(const Key& key, std::uint64_t hash, Visit&& visit) noexcept {
    const std::size_t at = first(hash);
    visit_bucket(at, visit);
    visit_bucket(other_bucket(key, at), visit);
  }

  // Calls `visit(flow)` for each flow of one bucket. `visit` may release it.
  template <typename Visit>
  void visit_bucket(std::size_t bucket, Visit&& visit) noexcept {
    for (Flow& flow : buckets_[bucket].flows) {
      if (!flow.meta.is_free()) visit(flow);
    }
  }

  [[nodiscard]] std::size_t buckets() const noexcept { return buckets_.size(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return buckets_.size() * kPerBucket; }
  // Flows now; any thread.
  [[nodiscard]] std::uint64_t live() const noexcept { return live_.read(); }

 private:
  [[nodiscard]] std::size_t first(std::uint64_t hash) const noexcept { return hash & mask_; }
  // The other of an entry's two buckets, from either: the distance is odd, so never the same.
  [[nodiscard]] std::size_t other_bucket(const Key& key, std::size_t at) const noexcept {
    return (at ^ (distance(key) | 1U)) & mask_;
  }
  [[nodiscard]] static std::uint64_t distance(const Key& key) noexcept {
    const std::uint64_t rest =
        std::uint64_t{key.client_port.raw()} << 16 | std::uint64_t{key.service.value};
    if constexpr (sizeof(Address) == 4) {
      return hash::mix(rest << 32 | key.client.value.raw());
    } else {
      const auto high = load<std::uint64_t>(key.client.bytes.data());
      const auto low = load<std::uint64_t>(key.client.bytes.data() + 8);
      return hash::mix(hash::mix(high ^ rest) ^ low);
    }
  }

  // Moves one flow of a full bucket into its other bucket, if one has room there.
  [[nodiscard]] Flow* step_aside(std::size_t at) noexcept {
    for (Flow& flow : buckets_[at].flows) {
      const Key key{flow.client, flow.client_port, flow.service};
      Flow* room = free_entry(buckets_[other_bucket(key, at)]);
      if (room == nullptr) continue;
      *room = flow;
      return &flow;
    }
    return nullptr;
  }

  // The key's port and service as they lie in an entry.
  [[nodiscard]] static std::uint32_t rest_of(const Key& key) noexcept {
    return key.client_port.raw() | std::uint32_t{key.service.value} << 16;
  }
  [[nodiscard]] static Flow* match(Bucket& bucket, const Key& key) noexcept {
    const unsigned found = match_any(bucket.flows, key.client, rest_of(key));
    return found == 0 ? nullptr : &bucket.flows[static_cast<unsigned>(std::countr_zero(found))];
  }
  [[nodiscard]] static Flow* free_entry(Bucket& bucket) noexcept {
    for (Flow& flow : bucket.flows) {
      if (flow.meta.is_free()) return &flow;
    }
    return nullptr;
  }

  std::span<Bucket> buckets_;
  std::size_t mask_;
  stats::Counter live_;
};

}  // namespace hawser::table
