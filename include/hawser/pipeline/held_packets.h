// HeldPackets: packets that wait until their connection can take them, in lists by connection.
//
// Layout: a fixed array of packets, each linked to the next of its list by number; free ones are
// linked too. Number 0 is none. A list is the number of its first packet, kept by its owner.
// Threading: one worker owns it. Nothing allocates after construction.
#pragma once

#include <cstdint>
#include <vector>

#include "hawser/base/limits.h"
#include "hawser/pipeline/packet.h"
#include "hawser/stats/counter.h"

namespace hawser::pipeline {

class HeldPackets {
 public:
  using Number = std::uint16_t;
  static_assert(limits::kHeldPackets < UINT16_MAX);

  explicit HeldPackets(std::size_t capacity) : entries_(capacity + 1) {
    for (std::size_t i = capacity; i > 0; --i) give_back(static_cast<Number>(i));
  }

  // Puts `packet` at the end of the list; false when there is no room.
  [[nodiscard]] bool append(Number& first, const Packet& packet) noexcept {
    if (free_ == 0) return false;
    const Number number = free_;
    free_ = entries_[number].next;
    entries_[number] = {.packet = packet, .next = 0};
    Number* link = &first;
    while (*link != 0) link = &entries_[*link].next;
    *link = number;
    held_.add(1);
    return true;
  }

  // Takes the first packet off the list, which must not be empty.
  [[nodiscard]] Packet take_first(Number& first) noexcept {
    const Number number = first;
    first = entries_[number].next;
    const Packet packet = entries_[number].packet;
    give_back(number);
    held_.subtract(1);
    return packet;
  }

  // Puts a whole list in front of another; the first is empty then.
  void move_all(Number& from, Number& to) noexcept {
    if (from == 0) return;
    Number last = from;
    while (entries_[last].next != 0) last = entries_[last].next;
    entries_[last].next = to;
    to = from;
    from = 0;
  }

  // The packets of a list, one after the other, until `visit` returns false.
  template <typename Visit>
  void visit(Number first, Visit&& visit) const noexcept {
    for (Number at = first; at != 0; at = entries_[at].next) {
      if (!visit(entries_[at].packet)) return;
    }
  }

  [[nodiscard]] const Packet& front(Number first) const noexcept { return entries_[first].packet; }
  // Held now, of all lists; any thread.
  [[nodiscard]] std::uint64_t held() const noexcept { return held_.read(); }
  // For the end: calls `visit(packet)` for every held packet. Linear.
  template <typename Visit>
  void drain(Visit&& visit) noexcept {
    std::vector<bool> is_free(entries_.size());
    for (Number at = free_; at != 0; at = entries_[at].next) is_free[at] = true;
    for (std::size_t i = 1; i < entries_.size(); ++i) {
      if (!is_free[i]) visit(entries_[i].packet);
    }
  }

 private:
  struct Entry {
    Packet packet;
    Number next = 0;
  };

  void give_back(Number number) noexcept {
    entries_[number].next = free_;
    free_ = number;
  }

  std::vector<Entry> entries_;  // [0] is nobody
  Number free_ = 0;
  stats::Counter held_;
};

}  // namespace hawser::pipeline
