// The table of a service: which backend owns each slot of the flow hash space.
//
// A first build is Maglev's permutation fill (Eisenbud et al., "Maglev: A Fast and Reliable
// Software Network Load Balancer", NSDI 2016, section 3.4), made exact: every member fills up to
// its quota, and quotas follow weights by largest remainder, so that no share is off by more than
// one slot.
//
// An update is minimum-move: a slot whose owner is within its new quota keeps it, and only the rest
// go, each to the member below quota with the highest random weight for that slot (Thaler and
// Ravishankar, 1998). Plain Maglev moves 1.2 to 19 times as many. A member that holds one slot more
// than its share rounded down keeps it as long as somebody must.
//
// A slot's top bit marks that its owner changed not long ago: whoever looks the owner up has the
// mark too, so asking for it costs nothing.
//
// A table is immutable and shared by snapshots. Memory: 2 bytes a slot.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "hawser/base/limits.h"

namespace hawser::table {

// One backend that takes new flows.
struct Member {
  std::uint64_t identity = 0;  // hash of its name: the same in every process, unique in a table
  std::uint32_t weight = 0;    // at least 1
  friend bool operator==(const Member&, const Member&) = default;
};

class Maglev {
 public:
  static constexpr std::uint16_t kNobody = 0x7fff;

  // `slots` is prime and at least the number of members; members have distinct identities. Without
  // members every slot is kNobody.
  [[nodiscard]] static std::shared_ptr<const Maglev> build(std::vector<Member> members,
                                                           std::uint32_t slots);

  // The table for `members` that differs from `previous` in as few slots as possible. `previous`
  // keeps its number of slots; with no owner in it to keep, this is a first build.
  [[nodiscard]] static std::shared_ptr<const Maglev> update(const Maglev& previous,
                                                            std::vector<Member> members);

  // A table as it was once published; null when owners and members cannot be one.
  [[nodiscard]] static std::shared_ptr<const Maglev> restore(std::vector<Member> members,
                                                             std::vector<std::uint16_t> owners);

  // The same table with marks on these slots and no others.
  [[nodiscard]] static std::shared_ptr<const Maglev> marked(const Maglev& table,
                                                            std::span<const std::uint32_t> slots);

  // Index into members() of the owner of a slot, or kNobody.
  [[nodiscard]] std::uint16_t owner(std::uint32_t slot) const noexcept {
    return slots_[slot] & kNobody;
  }
  // The slot is marked: its owner changed not long ago.
  [[nodiscard]] bool changed(std::uint32_t slot) const noexcept {
    return (slots_[slot] & kChanged) != 0;
  }
  [[nodiscard]] std::uint32_t slots() const noexcept {
    return static_cast<std::uint32_t>(slots_.size());
  }
  [[nodiscard]] std::span<const Member> members() const noexcept { return members_; }

  // Slots of each member.
  [[nodiscard]] std::vector<std::uint32_t> counts() const;

  // Slots whose owner is another in `other`, compared by identity. Same number of slots only.
  [[nodiscard]] std::uint32_t moved_from(const Maglev& other) const;

  // The number of slots for so many backends (limits.h).
  [[nodiscard]] static constexpr std::uint32_t default_slots(std::size_t backends) noexcept {
    return backends > limits::kLargeTableBackends ? limits::kLargeTableSlots : limits::kTableSlots;
  }

 private:
  Maglev(std::vector<Member> members, std::vector<std::uint16_t> slots)
      : members_(std::move(members)), slots_(std::move(slots)) {}

  static constexpr std::uint16_t kChanged = 0x8000;

  std::vector<Member> members_;
  std::vector<std::uint16_t> slots_;
};
static_assert(limits::kMaxBackendsPerService < Maglev::kNobody);

// How many of `slots` each member is due: its exact share rounded down or up. Rounded up are first
// those that hold that many already (`held`; empty: nobody), which saves a move each, then those
// with the largest remainder, then the smaller identity.
[[nodiscard]] std::vector<std::uint32_t> quotas(std::span<const Member> members,
                                                std::uint32_t slots,
                                                std::span<const std::uint32_t> held);

}  // namespace hawser::table
