// The timer wheel: which of many numbered entries is due, for timers that are mostly moved or
// cancelled before they fire.
//
// Layout: one array of 12-byte nodes {next, previous, due}, linked in circles by their 32-bit
// indexes: first one node for each entry, then one for each slot as the head of its circle, then
// the finger. An entry in no circle is linked to itself. A slot stands for one tick of the clock,
// and again for the tick one round (slots x tick) later, and so on: an entry that is due further
// ahead lies in its slot and is passed over until its round comes.
//
//   slot 5 |head| <-> |due in 5 ticks| <-> |finger| <-> |due in 5 + slots ticks| <-> head
//
// The finger marks how far the current slot has been looked through, so that expire can stop after
// any entry and go on there, whatever was armed and cancelled in between.
//
// Time: milliseconds of a 32-bit clock that wraps after 49 days, handed in. An entry fires never
// early and at most one tick late, beside what expire is called late. It may be armed for less than
// 2^31 ms after the last expire. Within that time the next expire must come, and one that visits
// all that is due.
//
// Threading: one worker owns a wheel. Nothing is allocated after construction.
// Cost: arm and cancel touch the entry and its neighbours, up to five nodes; expire costs one
// comparison until the next tick, then one node a slot, one an entry that is not due yet, and a
// cancel for each that is. With slots for the usual delay, few entries wait for a later round.
// Reference: Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987, scheme 6.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "hawser/base/contract.h"

namespace hawser::table {

class TimerWheel {
 public:
  using Index = std::uint32_t;

  // For entries 0 to `entries` - 1, none armed. `slots` is a power of two; slots x tick is less
  // than 2^31 ms. `now_ms` is the time to begin with.
  TimerWheel(Index entries, std::uint32_t slots, std::uint32_t tick_ms, std::uint32_t now_ms)
      : nodes_(std::size_t{entries} + slots + 1),
        entries_(entries),
        finger_(entries + slots),
        slot_mask_(slots - 1),
        tick_ms_(tick_ms),
        reached_ms_(now_ms),
        next_tick_ms_(now_ms + tick_ms) {
    HAWSER_REQUIRE(std::has_single_bit(slots) && tick_ms > 0);
    HAWSER_REQUIRE(std::uint64_t{slots} * tick_ms < kHalfRange);
    HAWSER_REQUIRE(nodes_.size() <= std::numeric_limits<Index>::max());
    for (Index i = 0; i < nodes_.size(); ++i) nodes_[i] = {.next = i, .previous = i};
  }

  // Makes `index` due at `due_ms`, in place of what it was armed for before. A time that has passed
  // stands for the next tick.
  void arm(Index index, std::uint32_t due_ms) noexcept {
    HAWSER_ASSERT(index < entries_);
    if (is_armed(index)) {
      unlink(index);
    } else {
      ++armed_;
    }
    if (!is_after(due_ms, reached_ms_)) due_ms = reached_ms_ + 1;
    nodes_[index].due_ms = due_ms;
    // Rounded up to the tick. Not negative: next_tick_ms_ is at most one tick after reached_ms_.
    const std::uint32_t ticks = (due_ms - next_tick_ms_ + tick_ms_ - 1) / tick_ms_;
    link_before(head((slot_ + ticks) & slot_mask_), index);
  }

  // Without effect for an entry that is not armed.
  void cancel(Index index) noexcept {
    HAWSER_ASSERT(index < entries_);
    if (!is_armed(index)) return;
    unlink(index);
    --armed_;
  }

  [[nodiscard]] bool is_armed(Index index) const noexcept { return nodes_[index].next != index; }
  // When an armed entry is due, milliseconds.
  [[nodiscard]] std::uint32_t due_ms(Index index) const noexcept { return nodes_[index].due_ms; }
  // Entries armed now.
  [[nodiscard]] Index armed() const noexcept { return armed_; }

  // Calls visit(index) once for each entry that is due, disarmed before, but for `most` of them at
  // most; the others stay due for the next call. Earlier ticks come first, unless the last call is
  // more than a round ago. `visit` may arm and cancel any entry, the visited one too, but one that
  // it arms waits for the next tick even when its time has passed. How many were visited.
  template <typename Visit>
  std::uint32_t expire(std::uint32_t now_ms, std::uint32_t most, Visit&& visit) {
    static_assert(std::is_invocable_v<Visit&, Index>);
    const std::uint32_t behind = now_ms - next_tick_ms_;
    if (behind >= kHalfRange) return 0;
    std::uint32_t ticks = behind / tick_ms_ + 1;
    reached_ms_ = next_tick_ms_ + (ticks - 1) * tick_ms_;
    std::uint32_t left = most;
    for (ticks = skip_rounds(ticks); ticks > 0; --ticks) {
      if (!visit_slot(left, visit)) break;
      leave_slot(1);
    }
    return most - left;
  }

 private:
  struct Node {
    Index next = 0;
    Index previous = 0;
    std::uint32_t due_ms = 0;
  };
  static_assert(sizeof(Node) == 12);

  static constexpr std::uint32_t kHalfRange = 1U << 31;

  [[nodiscard]] static constexpr bool is_after(std::uint32_t a, std::uint32_t b) noexcept {
    return a != b && a - b < kHalfRange;
  }
  [[nodiscard]] Index head(std::uint32_t slot) const noexcept { return entries_ + slot; }

  void unlink(Index index) noexcept {
    Node& node = nodes_[index];
    nodes_[node.previous].next = node.next;
    nodes_[node.next].previous = node.previous;
    node.next = index;
    node.previous = index;
  }
  void link_before(Index successor, Index index) noexcept {
    const Index previous = nodes_[successor].previous;
    nodes_[index].next = successor;
    nodes_[index].previous = previous;
    nodes_[previous].next = index;
    nodes_[successor].previous = index;
  }

  // After a long pause: every slot is looked through once and the rest of the last round again, not
  // as often as rounds have passed. How many of the `ticks` are left to go through.
  std::uint32_t skip_rounds(std::uint32_t ticks) noexcept {
    if (armed_ == 0) {
      leave_slot(ticks);
      return 0;
    }
    const std::uint32_t slots = slot_mask_ + 1;
    if (ticks < 2 * slots) return ticks;
    unlink(finger_);  // what it has passed in its slot may be due by now
    const std::uint32_t skipped = (ticks / slots - 1) * slots;
    next_tick_ms_ += skipped * tick_ms_;
    return ticks - skipped;
  }

  // Visits what is due in the current slot. False when `left` went out before all was done.
  template <typename Visit>
  bool visit_slot(std::uint32_t& left, Visit& visit) {
    const Index end = head(slot_);
    if (nodes_[finger_].next == finger_) link_before(nodes_[end].next, finger_);
    while (true) {
      Index at = nodes_[finger_].next;
      while (at != end && is_after(nodes_[at].due_ms, reached_ms_)) at = nodes_[at].next;
      if (at == end) return true;
      if (at != nodes_[finger_].next) {
        unlink(finger_);
        link_before(at, finger_);
      }
      if (left == 0) return false;
      --left;
      unlink(at);
      --armed_;
      visit(at);
    }
  }

  // Goes on by so many ticks.
  void leave_slot(std::uint32_t ticks) noexcept {
    unlink(finger_);
    slot_ = (slot_ + ticks) & slot_mask_;
    next_tick_ms_ += ticks * tick_ms_;
  }

  std::vector<Node> nodes_;
  Index entries_;
  Index finger_;
  std::uint32_t slot_mask_;
  std::uint32_t tick_ms_;
  std::uint32_t slot_ = 0;      // the first that has not been looked through
  Index armed_ = 0;             // entries in a circle
  std::uint32_t reached_ms_;    // what is due up to here is visited, or will be before all else
  std::uint32_t next_tick_ms_;  // when slot_ is due
};

}  // namespace hawser::table
