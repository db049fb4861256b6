// The service table: balance to the slot, and moves close to the unavoidable.
#include "hawser/table/maglev.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "hawser/hash/flow_hash.h"

namespace hawser::table {
namespace {

std::vector<Member> members(std::size_t count, std::uint32_t weight = 100) {
  std::vector<Member> result;
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(
        {.identity = hash::name_hash("backend" + std::to_string(i), 1), .weight = weight});
  }
  return result;
}

std::vector<Member> random_weights(std::size_t count) {
  std::vector<Member> result = members(count);
  for (Member& member : result) {
    member.weight = static_cast<std::uint32_t>(1 + hash::mix(member.identity) % 1000);
  }
  return result;
}

// No member is off its exact share by a whole slot or more.
void expect_balanced(const Maglev& table) {
  const std::vector<std::uint32_t> counts = table.counts();
  double total = 0;
  for (const Member& member : table.members()) total += member.weight;
  for (std::size_t m = 0; m < counts.size(); ++m) {
    const double exact = table.slots() * table.members()[m].weight / total;
    EXPECT_LT(std::abs(counts[m] - exact), 1.0) << "member " << m;
  }
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0U), table.slots());
}

// Slots that had to move whatever the method: what members hold above their share rounded up, or
// lack below their share rounded down, whichever is more.
std::uint32_t unavoidable_moves(const Maglev& before, const std::vector<Member>& after) {
  std::map<std::uint64_t, std::uint32_t> held;
  const std::vector<std::uint32_t> counts = before.counts();
  for (std::size_t m = 0; m < counts.size(); ++m) held[before.members()[m].identity] = counts[m];
  double total = 0;
  for (const Member& member : after) total += member.weight;
  std::uint32_t lacking = 0;
  std::uint32_t above = 0;
  for (const Member& member : after) {
    const double due = before.slots() * member.weight / total;
    const std::uint32_t has = held.contains(member.identity) ? held[member.identity] : 0;
    held.erase(member.identity);
    if (has < std::floor(due)) lacking += static_cast<std::uint32_t>(std::floor(due)) - has;
    if (has > std::ceil(due)) above += has - static_cast<std::uint32_t>(std::ceil(due));
  }
  for (const auto& [gone, slots] : held) above += slots;
  return std::max(lacking, above);
}

void expect_few_moves(const Maglev& before, const std::vector<Member>& after) {
  const auto table = Maglev::update(before, after);
  expect_balanced(*table);
  const std::uint32_t moved = table->moved_from(before);
  const std::uint32_t minimum = unavoidable_moves(before, after);
  EXPECT_GT(minimum, 0U);
  EXPECT_LE(moved, minimum * 1.07) << "unavoidable: " << minimum;
}

// The fill as the paper says it, with quotas and turns by weight: step by step, nothing clever.
std::vector<std::uint64_t> filled_step_by_step(const std::vector<Member>& all,
                                               std::uint32_t slots) {
  constexpr std::uint64_t kFree = 0;
  std::vector<std::uint64_t> owners(slots, kFree);
  std::vector<std::uint32_t> left = quotas(all, slots, {});
  std::vector<std::uint64_t> credit(all.size(), 0);
  std::vector<std::uint64_t> position;
  std::uint64_t heaviest = 0;
  for (const Member& member : all) {
    position.push_back(hash::mix(member.identity) % slots);
    heaviest = std::max<std::uint64_t>(heaviest, member.weight);
  }
  for (std::uint32_t taken = 0; taken < slots;) {
    for (std::size_t m = 0; m < all.size(); ++m) {
      credit[m] += all[m].weight;
      if (credit[m] < heaviest || left[m] == 0) continue;
      credit[m] -= heaviest;
      const std::uint64_t skip = hash::mix(all[m].identity ^ 0x9e3779b97f4a7c15ULL) % (slots - 1);
      while (owners[position[m]] != kFree) position[m] = (position[m] + skip + 1) % slots;
      owners[position[m]] = all[m].identity;
      --left[m];
      ++taken;
    }
  }
  return owners;
}

void expect_filled_step_by_step(const std::vector<Member>& all, std::uint32_t slots) {
  const auto table = Maglev::build(all, slots);
  std::vector<std::uint64_t> owners;
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    owners.push_back(table->members()[table->owner(slot)].identity);
  }
  EXPECT_EQ(owners, filled_step_by_step(all, slots)) << all.size() << " members, " << slots;
}

TEST(Maglev, TheFirstBuildIsThePermutationFill) {
  for (const std::uint32_t slots : {2U, 5U, 191U, 193U, 197U, 251U, 65537U}) {
    for (const std::size_t count : {1U, 2U, 3U, 100U, 190U, 1000U}) {
      if (count > slots) continue;
      expect_filled_step_by_step(members(count), slots);
      expect_filled_step_by_step(random_weights(count), slots);
    }
  }
  expect_filled_step_by_step(random_weights(700), limits::kLargeTableSlots);
}

class MaglevAtSize : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Backends, MaglevAtSize, ::testing::Values(100, 1000));

TEST_P(MaglevAtSize, FirstBuildIsBalancedToTheSlot) {
  expect_balanced(*Maglev::build(members(GetParam()), limits::kTableSlots));
}

TEST_P(MaglevAtSize, FirstBuildFollowsUnequalWeightsToTheSlot) {
  expect_balanced(*Maglev::build(random_weights(GetParam()), limits::kTableSlots));
}

TEST_P(MaglevAtSize, RemovingOneMovesHardlyMoreThanItsSlots) {
  const auto before = Maglev::build(members(GetParam()), limits::kTableSlots);
  std::vector<Member> after = members(GetParam());
  after.erase(after.begin() + 17);
  expect_few_moves(*before, after);
}

TEST_P(MaglevAtSize, RemovingFivePercentMovesHardlyMoreThanTheirSlots) {
  const auto before = Maglev::build(members(GetParam()), limits::kTableSlots);
  std::vector<Member> after = members(GetParam());
  after.erase(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(GetParam() / 20));
  expect_few_moves(*before, after);
}

TEST_P(MaglevAtSize, TenPercentLessWeightMovesHardlyMoreThanThat) {
  const auto before = Maglev::build(members(GetParam()), limits::kTableSlots);
  std::vector<Member> after = members(GetParam());
  after[5].weight = 90;
  expect_few_moves(*before, after);
}

TEST_P(MaglevAtSize, AddingOneMovesHardlyMoreThanItsShare) {
  const auto before = Maglev::build(members(GetParam()), limits::kTableSlots);
  expect_few_moves(*before, members(GetParam() + 1));
}

TEST_P(MaglevAtSize, StaysBalancedAndFrugalOverManyChanges) {
  auto table = Maglev::build(members(GetParam()), limits::kTableSlots);
  std::vector<Member> now = members(GetParam());
  for (std::uint64_t step = 0; step < 20; ++step) {
    now[hash::mix(step) % now.size()].weight =
        static_cast<std::uint32_t>(1 + hash::mix(~step) % 999);
    const std::uint32_t minimum = unavoidable_moves(*table, now);
    const auto next = Maglev::update(*table, now);
    expect_balanced(*next);
    EXPECT_LE(next->moved_from(*table), minimum * 1.07 + 1) << "step " << step;
    table = next;
  }
}

TEST(Maglev, AnUpdateWithoutChangeMovesNothing) {
  const auto before = Maglev::build(members(100), limits::kTableSlots);
  EXPECT_EQ(Maglev::update(*before, members(100))->moved_from(*before), 0U);
}

TEST(Maglev, TheOrderOfMembersDoesNotMoveASlot) {
  const auto before = Maglev::build(members(100), limits::kTableSlots);
  std::vector<Member> shuffled = members(100);
  std::rotate(shuffled.begin(), shuffled.begin() + 31, shuffled.end());
  EXPECT_EQ(Maglev::update(*before, shuffled)->moved_from(*before), 0U);
}

TEST(Maglev, RemovingOneMovesNoSlotOfTheOthers) {
  const auto before = Maglev::build(members(10), limits::kTableSlots);
  std::vector<Member> after = members(10);
  const std::uint64_t gone = after[3].identity;
  after.erase(after.begin() + 3);
  const auto table = Maglev::update(*before, after);
  for (std::uint32_t slot = 0; slot < table->slots(); ++slot) {
    const Member& owner = before->members()[before->owner(slot)];
    if (owner.identity == gone) continue;
    ASSERT_EQ(table->members()[table->owner(slot)].identity, owner.identity) << "slot " << slot;
  }
}

TEST(Maglev, WithoutMembersEverySlotIsNobodys) {
  const auto table = Maglev::build({}, limits::kTableSlots);
  EXPECT_EQ(table->owner(0), Maglev::kNobody);
  EXPECT_EQ(table->owner(limits::kTableSlots - 1), Maglev::kNobody);
}

TEST(Maglev, ATableGrowsOutOfAnEmptyOneAndBack) {
  const auto empty = Maglev::build({}, limits::kTableSlots);
  const auto one = Maglev::update(*empty, members(1));
  EXPECT_EQ(one->counts()[0], limits::kTableSlots);
  EXPECT_EQ(Maglev::update(*one, {})->owner(7), Maglev::kNobody);
}

TEST(Maglev, TheLargeTableIsBalancedToo) {
  expect_balanced(*Maglev::build(random_weights(1000), limits::kLargeTableSlots));
}

TEST(Maglev, ALeavingMembersSlotsFanOutOverAllOthers) {
  const auto before = Maglev::build(members(20), limits::kTableSlots);
  std::vector<Member> after = members(20);
  after.pop_back();
  const auto table = Maglev::update(*before, after);
  std::set<std::uint16_t> gained;
  for (std::uint32_t slot = 0; slot < table->slots(); ++slot) {
    if (before->owner(slot) == 19) gained.insert(table->owner(slot));
  }
  EXPECT_EQ(gained.size(), 19U);
}

TEST(Quotas, RemaindersGoFirstToWhoHoldsThemAlready) {
  const std::vector<Member> two{{.identity = 1, .weight = 1}, {.identity = 2, .weight = 1}};
  EXPECT_EQ(quotas(two, 7, {}), (std::vector<std::uint32_t>{4, 3}));
  EXPECT_EQ(quotas(two, 7, std::vector<std::uint32_t>{3, 4}), (std::vector<std::uint32_t>{3, 4}));
}

}  // namespace
}  // namespace hawser::table
