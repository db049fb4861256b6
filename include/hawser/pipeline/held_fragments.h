// HeldFragments: fragments that came before the first of their datagram, for a moment.
//
// A short list, searched from its begin: out-of-order fragments are rare, and it is bounded.
// Threading: one worker owns it.
#pragma once

#include <array>
#include <cstdint>

#include "hawser/base/limits.h"
#include "hawser/pipeline/packet.h"

namespace hawser::pipeline {

class HeldFragments {
 public:
  // False when the list is full.
  [[nodiscard]] bool hold(std::uint64_t key, const Packet& packet, std::uint32_t now_ms) noexcept {
    if (count_ == entries_.size()) return false;
    entries_[count_++] = {.key = key, .since_ms = now_ms, .packet = packet};
    return true;
  }

  // Calls `take(packet)` for each held fragment of a datagram, in the order they came, and forgets
  // those for which it returns true.
  template <typename Take>
  void take(std::uint64_t key, Take&& take) noexcept {
    remove_if([&](const Entry& entry) { return entry.key == key && take(entry.packet); });
  }

  // The same for those held longer than limits::kHoldMilliseconds.
  template <typename Take>
  void take_overdue(std::uint32_t now_ms, Take&& take) noexcept {
    remove_if([&](const Entry& entry) {
      return now_ms - entry.since_ms > limits::kHoldMilliseconds && take(entry.packet);
    });
  }

  [[nodiscard]] std::size_t size() const noexcept { return count_; }

 private:
  struct Entry {
    std::uint64_t key = 0;
    std::uint32_t since_ms = 0;
    Packet packet;
  };

  template <typename Leaves>
  void remove_if(Leaves&& leaves) noexcept {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (leaves(entries_[i])) continue;
      if (kept != i) entries_[kept] = entries_[i];
      ++kept;
    }
    count_ = kept;
  }

  std::array<Entry, limits::kHeldFragments> entries_;
  std::size_t count_ = 0;
};

}  // namespace hawser::pipeline
