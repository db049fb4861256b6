// First build and minimum-move update of a service's table.
#include "hawser/table/maglev.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "hawser/base/contract.h"
#include "hawser/hash/flow_hash.h"
#include "permutation_fill.h"

namespace hawser::table {
namespace {

// The member below quota with the highest random weight for a slot. `below` is not empty.
std::size_t highest_random_weight(std::uint32_t slot, std::span<const Member> members,
                                  std::span<const std::uint32_t> below) {
  std::size_t best = 0;
  std::uint64_t best_score = 0;
  const std::uint64_t slot_hash = hash::mix(slot + 1ULL);
  for (std::size_t i = 0; i < below.size(); ++i) {
    const std::uint64_t score = hash::mix(slot_hash ^ members[below[i]].identity) | 1U;
    if (score > best_score) {
      best_score = score;
      best = i;
    }
  }
  return best;
}

// The owners of `previous` in terms of `members`: kNobody where the owner is gone.
std::vector<std::uint16_t> carried_over(const Maglev& previous, std::span<const Member> members) {
  std::unordered_map<std::uint64_t, std::uint16_t> index_of;
  for (std::size_t m = 0; m < members.size(); ++m) {
    index_of.emplace(members[m].identity, static_cast<std::uint16_t>(m));
  }
  std::vector<std::uint16_t> renamed(previous.members().size(), Maglev::kNobody);
  for (std::size_t m = 0; m < renamed.size(); ++m) {
    const auto found = index_of.find(previous.members()[m].identity);
    if (found != index_of.end()) renamed[m] = found->second;
  }
  std::vector<std::uint16_t> owners(previous.slots(), Maglev::kNobody);
  for (std::uint32_t slot = 0; slot < previous.slots(); ++slot) {
    const std::uint16_t owner = previous.owner(slot);
    if (owner != Maglev::kNobody) owners[slot] = renamed[owner];
  }
  return owners;
}

std::vector<std::uint32_t> count_owners(std::span<const std::uint16_t> owners,
                                        std::size_t members) {
  std::vector<std::uint32_t> counts(members, 0);
  for (const std::uint16_t owner : owners) {
    if (owner != Maglev::kNobody) ++counts[owner];
  }
  return counts;
}

}  // namespace

std::vector<std::uint32_t> quotas(std::span<const Member> members, std::uint32_t slots,
                                  std::span<const std::uint32_t> held) {
  std::uint64_t total = 0;
  for (const Member& member : members) total += member.weight;
  std::vector<std::uint32_t> result(members.size(), 0);
  if (total == 0) return result;
  std::vector<std::uint64_t> remainder(members.size(), 0);
  std::uint32_t assigned = 0;
  for (std::size_t m = 0; m < members.size(); ++m) {
    const std::uint64_t product = std::uint64_t{slots} * members[m].weight;
    result[m] = static_cast<std::uint32_t>(product / total);
    remainder[m] = product % total;
    assigned += result[m];
  }
  std::vector<std::uint32_t> order(members.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto holds = [&](std::uint32_t m) {
    return !held.empty() && remainder[m] > 0 && held[m] > result[m];
  };
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    if (holds(a) != holds(b)) return holds(a);
    if (remainder[a] != remainder[b]) return remainder[a] > remainder[b];
    return members[a].identity < members[b].identity;
  });
  for (std::size_t i = 0; assigned < slots && !order.empty(); ++i, ++assigned) ++result[order[i]];
  return result;
}

std::shared_ptr<const Maglev> Maglev::build(std::vector<Member> members, std::uint32_t slots) {
  HAWSER_REQUIRE(members.size() <= limits::kMaxBackendsPerService && members.size() <= slots);
  std::vector<std::uint16_t> owners = permutation_fill(members, slots);
  return std::shared_ptr<const Maglev>(new Maglev(std::move(members), std::move(owners)));
}

std::shared_ptr<const Maglev> Maglev::update(const Maglev& previous, std::vector<Member> members) {
  HAWSER_REQUIRE(members.size() <= limits::kMaxBackendsPerService);
  std::vector<std::uint16_t> owners = carried_over(previous, members);
  const std::vector<std::uint32_t> held = count_owners(owners, members.size());
  const bool anything_kept = std::any_of(held.begin(), held.end(), [](auto n) { return n > 0; });
  if (!anything_kept || members.empty()) return build(std::move(members), previous.slots());

  const std::vector<std::uint32_t> quota = quotas(members, previous.slots(), held);
  std::vector<std::uint32_t> count(members.size(), 0);
  for (std::uint16_t& owner : owners) {
    if (owner == kNobody) continue;
    if (count[owner] == quota[owner]) {
      owner = kNobody;  // over quota: this slot moves
    } else {
      ++count[owner];
    }
  }
  std::vector<std::uint32_t> below;
  for (std::uint32_t m = 0; m < members.size(); ++m) {
    if (count[m] < quota[m]) below.push_back(m);
  }
  for (std::uint32_t slot = 0; slot < owners.size(); ++slot) {
    if (owners[slot] != kNobody) continue;
    const std::size_t chosen = highest_random_weight(slot, members, below);
    const std::uint32_t member = below[chosen];
    owners[slot] = static_cast<std::uint16_t>(member);
    if (++count[member] < quota[member]) continue;
    below[chosen] = below.back();
    below.pop_back();
  }
  return std::shared_ptr<const Maglev>(new Maglev(std::move(members), std::move(owners)));
}

std::shared_ptr<const Maglev> Maglev::restore(std::vector<Member> members,
                                              std::vector<std::uint16_t> owners) {
  if (owners.empty() || owners.size() > limits::kMaxTableSlots) return nullptr;
  if (members.size() > limits::kMaxBackendsPerService) return nullptr;
  const bool sound = std::all_of(owners.begin(), owners.end(), [&](std::uint16_t owner) {
    return owner == kNobody || owner < members.size();
  });
  if (!sound) return nullptr;
  return std::shared_ptr<const Maglev>(new Maglev(std::move(members), std::move(owners)));
}

std::shared_ptr<const Maglev> Maglev::marked(const Maglev& table,
                                             std::span<const std::uint32_t> slots) {
  std::vector<std::uint16_t> owners(table.slots_);
  for (std::uint16_t& owner : owners) owner &= kNobody;
  for (const std::uint32_t slot : slots) owners[slot] |= kChanged;
  return std::shared_ptr<const Maglev>(new Maglev(table.members_, std::move(owners)));
}

std::vector<std::uint32_t> Maglev::counts() const {
  std::vector<std::uint32_t> counts(members_.size(), 0);
  for (std::uint32_t slot = 0; slot < slots(); ++slot) {
    if (owner(slot) != kNobody) ++counts[owner(slot)];
  }
  return counts;
}

std::uint32_t Maglev::moved_from(const Maglev& other) const {
  HAWSER_REQUIRE(slots() == other.slots());
  const auto identity = [](const Maglev& table, std::uint32_t slot) {
    const std::uint16_t owner = table.owner(slot);
    return owner == kNobody ? 0 : table.members_[owner].identity;
  };
  std::uint32_t moved = 0;
  for (std::uint32_t slot = 0; slot < slots(); ++slot) {
    if (identity(*this, slot) != identity(other, slot)) ++moved;
  }
  return moved;
}

}  // namespace hawser::table
