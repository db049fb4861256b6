// Rates of sources in bounded memory: a token bucket for each source prefix seen of late.
//
// Layout: sets of four entries of 16 bytes, one cache line. The low bits of a source's keyed hash
// choose the set, the upper 32 bits name the source in it:
//
//   | name 32 | events per second 32 | token bucket 64 |   x 4
//
// A zeroed entry is a full bucket that nobody asked. Two sources that share set and name share a
// bucket; with 2^14 sets that happens to one pair in 2^46, and the key is secret.
//
// A new source takes the entry that will be full again first. A full bucket that is forgotten loses
// nothing, and one event at n a second makes a bucket wait for 1/n s only. So the table is exact as
// long as events that pass stay well below (entries * n) a second in all, however many sources
// there are: at a tenth of that, two sources in a thousand are forgotten early.
//
// An attacker with many prefixes gets for each what its rate allows, as does anybody. Above the
// bound, prefixes that take turns push each other out of the one entry of a set that is nearest to
// full, and start afresh with a full bucket each time: then what he gets is limited by the
// service's own rate, not here. Sources that met their limit stay: the other three entries change
// hands only for shortages as large as theirs, so to free one exhausted prefix of his, he must
// exhaust four more in the same set, which he cannot know. Others are not refused because of him: a
// new source always starts full.
//
// Threading: one worker owns a limiter. Cost: one cache line; a multiplication, and four when a
// source is new.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "hawser/base/contract.h"
#include "hawser/base/prefetch.h"
#include "hawser/l4/token_bucket.h"

namespace hawser::table {

class SourceLimiter {
 public:
  struct Entry {
    std::uint32_t name = 0;
    std::uint32_t per_second = 0;  // as of the last take: how fast the bucket fills
    l4::TokenBucket bucket;
  };
  static_assert(sizeof(Entry) == 16);
  static constexpr std::size_t kPerSet = 64 / sizeof(Entry);
  struct alignas(64) Set {
    std::array<Entry, kPerSet> entries;
  };
  static_assert(sizeof(Set) == 64 && std::is_trivially_copyable_v<Set>);

  // `memory` must be zeroed, outlive the limiter, and have a power of two of sets, at most 2^32.
  explicit SourceLimiter(std::span<Set> memory) noexcept : sets_(memory), mask_(memory.size() - 1) {
    HAWSER_REQUIRE(!memory.empty() && (memory.size() & mask_) == 0);
  }

  void prefetch(std::uint64_t key) const noexcept { prefetch_line(&sets_[key & mask_]); }

  // Whether an event of a source may pass now; it is counted if it may. `key`: a keyed hash of
  // service and masked source address, all 64 bits of it. A source has one rate at a time.
  [[nodiscard]] bool take(std::uint64_t key, const l4::Rate& rate, std::uint32_t now_ms) noexcept {
    if (rate.per_second == 0) return true;
    Set& set = sets_[key & mask_];
    const auto name = static_cast<std::uint32_t>(key >> 32);
    Entry* entry = find(set, name);
    if (entry == nullptr) {
      entry = &fullest(set, now_ms);
      *entry = Entry{.name = name};
    }
    entry->per_second = rate.per_second;
    return entry->bucket.take(rate, now_ms);
  }

 private:
  [[nodiscard]] static Entry* find(Set& set, std::uint32_t name) noexcept {
    for (Entry& entry : set.entries) {
      if (entry.name == name) return &entry;
    }
    return nullptr;
  }

  // The entry whose bucket is full soonest. Waiting times are missing / per_second; crosswise
  // multiplied, they compare without division. An entry never used misses nothing.
  [[nodiscard]] static Entry& fullest(Set& set, std::uint32_t now_ms) noexcept {
    Entry* best = &set.entries[0];
    std::uint64_t best_missing = best->bucket.missing(best->per_second, now_ms);
    std::uint64_t best_speed = std::max(best->per_second, 1U);
    for (Entry& entry : std::span(set.entries).subspan(1)) {
      const std::uint64_t missing = entry.bucket.missing(entry.per_second, now_ms);
      const std::uint64_t speed = std::max(entry.per_second, 1U);
      if (missing * best_speed < best_missing * speed) {
        best = &entry;
        best_missing = missing;
        best_speed = speed;
      }
    }
    return *best;
  }

  std::span<Set> sets_;
  std::size_t mask_;
};

}  // namespace hawser::table
