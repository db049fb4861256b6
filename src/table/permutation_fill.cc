// Maglev's permutation fill with quotas: which member owns each slot of a first build.
//
// A permutation is offset, offset + skip, offset + 2 skip, ... modulo the prime number of slots.
// While many slots are free, the next free one is found by walking. The walk for the last F free
// slots would take slots / F steps each, half of all steps for the last few hundred slots; there
// the distance to each free slot is computed instead, and the nearest taken: the step at which a
// walk that stands at `next` comes to slot s is (s - next) / skip in the field modulo the prime.
#include "permutation_fill.h"

#include <algorithm>

#include "hawser/hash/flow_hash.h"

namespace hawser::table {
namespace {

__extension__ using Wide = unsigned __int128;

// With fewer free slots than this, distances are computed: about where both ways cost the same, for
// 65537 slots and for 655373.
constexpr std::uint32_t kFewFree = 192;

// Arithmetic modulo a prime below 2^31.
class Field {
 public:
  explicit Field(std::uint32_t prime) : prime_(prime), reciprocal_(~std::uint64_t{0} / prime) {}

  // Barrett's reduction: the estimate of the quotient is at most one too small.
  [[nodiscard]] std::uint32_t times(std::uint32_t a, std::uint32_t b) const {
    const std::uint64_t product = std::uint64_t{a} * b;
    const auto quotient = static_cast<std::uint64_t>((Wide{product} * reciprocal_) >> 64U);
    const std::uint64_t rest = product - quotient * prime_;
    return static_cast<std::uint32_t>(rest < prime_ ? rest : rest - prime_);
  }

  // Fermat: a^(p - 2). `a` is not 0.
  [[nodiscard]] std::uint32_t inverse(std::uint32_t a) const {
    std::uint32_t result = 1;
    for (std::uint32_t exponent = prime_ - 2; exponent > 0; exponent >>= 1U) {
      if ((exponent & 1U) != 0) result = times(result, a);
      a = times(a, a);
    }
    return result;
  }

  [[nodiscard]] std::uint32_t minus(std::uint32_t a, std::uint32_t b) const {
    return a >= b ? a - b : a + (prime_ - b);
  }

 private:
  std::uint32_t prime_;
  std::uint64_t reciprocal_;
};

struct Walk {
  std::uint32_t next = 0;
  std::uint32_t skip = 0;
  std::uint32_t inverse = 0;  // of skip; 0: not computed yet

  Walk(std::uint64_t identity, std::uint32_t slots)
      : next(static_cast<std::uint32_t>(hash::mix(identity) % slots)),
        skip(static_cast<std::uint32_t>(hash::mix(identity ^ 0x9e3779b97f4a7c15ULL) % (slots - 1)) +
             1) {}
};

// The slots that nobody owns yet.
class FreeSlots {
 public:
  explicit FreeSlots(std::uint32_t slots)
      : slots_(slots), field_(slots), left_(slots), bits_(slots / 64 + 1, ~std::uint64_t{0}) {}

  [[nodiscard]] std::uint32_t left() const { return left_; }

  // The first free slot of a walk, which is free no more. There is one.
  std::uint32_t take(Walk& walk) {
    --left_;
    if (left_ >= kFewFree) return take_by_walking(walk);
    if (list_.empty()) make_list();
    return take_nearest(walk);
  }

 private:
  [[nodiscard]] bool free(std::uint32_t slot) const {
    return ((bits_[slot / 64] >> (slot % 64)) & 1U) != 0;
  }

  std::uint32_t take_by_walking(Walk& walk) {
    std::uint32_t slot = walk.next;
    while (!free(slot)) {
      slot += walk.skip;
      if (slot >= slots_) slot -= slots_;
    }
    walk.next = slot;
    bits_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    return slot;
  }

  void make_list() {
    for (std::uint32_t slot = 0; slot < slots_; ++slot) {
      if (free(slot)) list_.push_back(slot);
    }
  }

  std::uint32_t take_nearest(Walk& walk) {
    if (walk.inverse == 0) walk.inverse = field_.inverse(walk.skip);
    std::size_t best = 0;
    std::uint32_t least = slots_;
    for (std::size_t i = 0; i < list_.size(); ++i) {
      const std::uint32_t distance = field_.times(field_.minus(list_[i], walk.next), walk.inverse);
      if (distance < least) {
        least = distance;
        best = i;
      }
    }
    walk.next = list_[best];
    list_[best] = list_.back();
    list_.pop_back();
    return walk.next;
  }

  std::uint32_t slots_;
  Field field_;
  std::uint32_t left_;
  std::vector<std::uint64_t> bits_;  // by slot, while they are many
  std::vector<std::uint32_t> list_;  // of the last few
};

}  // namespace

std::vector<std::uint16_t> permutation_fill(std::span<const Member> members, std::uint32_t slots) {
  std::vector<std::uint16_t> owners(slots, Maglev::kNobody);
  if (members.empty()) return owners;
  std::vector<std::uint32_t> left = quotas(members, slots, {});
  std::vector<Walk> walks;
  walks.reserve(members.size());
  std::uint64_t heaviest = 0;
  for (const Member& member : members) {
    walks.emplace_back(member.identity, slots);
    heaviest = std::max<std::uint64_t>(heaviest, member.weight);
  }
  std::vector<std::uint64_t> credit(members.size(), 0);
  FreeSlots free(slots);
  while (free.left() > 0) {
    for (std::size_t m = 0; m < members.size(); ++m) {
      credit[m] += members[m].weight;
      if (credit[m] < heaviest || left[m] == 0) continue;
      credit[m] -= heaviest;
      owners[free.take(walks[m])] = static_cast<std::uint16_t>(m);
      --left[m];
    }
  }
  return owners;
}

}  // namespace hawser::table
