// The fragment table: to which transport ports the later fragments of a datagram belong.
//
// Only the first fragment of a datagram has its ports. It leaves them here under a keyed hash of
// (source, destination, identification, protocol); the others find them. The hash stands for the
// tuple: its key is secret, so nobody can aim at another's entry.
//
// Layout: sets of two 32-byte entries in a cache line; a full set gives up its older entry.
// Threading: one worker owns a table. Cost: one cache line, and only for fragments.
// Source: RFC 791 section 3.2, RFC 8200 section 4.5.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <type_traits>

#include "hawser/base/limits.h"
#include "hawser/net/endian.h"

namespace hawser::table {

struct alignas(32) FragmentEntry {
  std::uint64_t key = 0;  // 0: free
  net::Big16 source_port;
  net::Big16 destination_port;
  std::uint32_t seen_ms = 0;
  // What the identification becomes behind nat, so that two clients' fragments never mix at a
  // backend (RFC 6864 section 5.3); host order.
  std::uint32_t identification = 0;
};
static_assert(sizeof(FragmentEntry) == 32 && std::is_trivially_copyable_v<FragmentEntry>);

class FragmentTable {
 public:
  struct alignas(64) Set {
    std::array<FragmentEntry, 2> entries;
  };
  static_assert(sizeof(Set) == 64);

  // `memory` is zeroed, outlives the table and has a power of two of sets.
  explicit FragmentTable(std::span<Set> memory) noexcept
      : sets_(memory), mask_(memory.size() - 1) {}

  // The entry of a datagram, if its first fragment came within limits::kFragmentMilliseconds.
  [[nodiscard]] FragmentEntry* find(std::uint64_t key, std::uint32_t now_ms) noexcept {
    for (FragmentEntry& entry : set(key).entries) {
      if (entry.key == key && now_ms - entry.seen_ms <= limits::kFragmentMilliseconds) {
        return &entry;
      }
    }
    return nullptr;
  }

  // The entry for a first fragment: the datagram's own, a free one, or the set's oldest.
  [[nodiscard]] FragmentEntry& put(std::uint64_t key, std::uint32_t now_ms) noexcept {
    auto& [a, b] = set(key).entries;
    const bool use_a =
        a.key == key ||
        (b.key != key && (a.key == 0 || (b.key != 0 && now_ms - a.seen_ms >= now_ms - b.seen_ms)));
    FragmentEntry& entry = use_a ? a : b;
    entry = FragmentEntry{};
    entry.key = key;
    entry.seen_ms = now_ms;
    return entry;
  }

 private:
  [[nodiscard]] Set& set(std::uint64_t key) noexcept { return sets_[(key >> 32) & mask_]; }

  std::span<Set> sets_;
  std::size_t mask_;
};

}  // namespace hawser::table
