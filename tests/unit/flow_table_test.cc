// The flow table and the NAT table, beside a naive model of each.
#include "hawser/table/flow_table.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "hawser/hash/flow_hash.h"
#include "hawser/table/nat_table.h"

namespace hawser::table {
namespace {

using Table = FlowTable<Ipv4Flow>;

Table::Key key_of(std::uint32_t n) {
  return {.client = {net::Big32(n)},
          .client_port = net::Big16(static_cast<std::uint16_t>(n)),
          .service = ServiceId(1)};
}

FlowMeta meta(std::uint32_t backend) {
  return {CoarseTime{7}, l4::FlowState::kEstablished, BackendId(backend), FlowMeta::kNoNat};
}

TEST(FlowMeta, KeepsEveryFieldApart) {
  const FlowMeta m(CoarseTime{0xabcd}, l4::FlowState::kUdp, BackendId(0xfffff), 0xffffff);
  EXPECT_EQ(m.seen().seconds, 0xabcd);
  EXPECT_EQ(m.state(), l4::FlowState::kUdp);
  EXPECT_EQ(m.backend(), BackendId(0xfffff));
  EXPECT_EQ(m.nat(), 0xffffffU);
  FlowMeta touched = m;
  touched.touch(CoarseTime{1}, l4::FlowState::kReset);
  EXPECT_EQ(touched.seen().seconds, 1);
  EXPECT_EQ(touched.state(), l4::FlowState::kReset);
  EXPECT_EQ(touched.backend(), m.backend());
  EXPECT_EQ(touched.nat(), m.nat());
}

TEST(FlowTable, FindsWhatWasInsertedAndNothingElse) {
  std::vector<Table::Bucket> memory(256);
  Table table(memory);
  std::map<std::uint32_t, std::uint32_t> model;
  for (std::uint32_t step = 0; step < 200'000; ++step) {
    const auto n = static_cast<std::uint32_t>(hash::mix(step) % 900);
    const std::uint64_t hash = hash::mix(n + 1'000'000ULL);
    Ipv4Flow* flow = table.find(key_of(n), hash);
    ASSERT_EQ(flow != nullptr, model.contains(n));
    if (flow != nullptr) {
      ASSERT_EQ(flow->meta.backend().value, model[n]);
    }
    if (flow != nullptr && step % 3 == 0) {
      table.release(*flow);
      model.erase(n);
    } else if (flow == nullptr && table.insert(key_of(n), hash, meta(step % 1000 + 1)) != nullptr) {
      model[n] = step % 1000 + 1;
    }
    ASSERT_EQ(table.live(), model.size());
  }
  EXPECT_GT(model.size(), 100U);
}

// Keys from so few that buckets hold several of them, and words that look like one.
TEST(FlowTable, MatchesTheSameEntriesTwoAtATimeAsOneByOne) {
  std::uint64_t random = 1;
  const auto draw = [&] { return static_cast<std::uint32_t>(random = hash::mix(random + 1)) % 3; };
  for (int i = 0; i < 10'000; ++i) {
    Table::Bucket bucket{};
    for (Ipv4Flow& flow : bucket.flows) {
      flow.write({net::Big32(draw())}, draw());
      flow.meta = meta(draw());
    }
    const net::Ipv4Address address{net::Big32(draw())};
    const std::uint32_t rest = draw();
    ASSERT_EQ(match_any(bucket.flows, address, rest), match_each(bucket.flows, address, rest));
  }
}

TEST(FlowTable, HoldsThreeQuartersOfItsEntriesAndLosesNone) {
  constexpr std::size_t kFlows = 100'000;
  std::vector<Table::Bucket> memory(Table::buckets_for(kFlows));
  Table table(memory);
  const auto flows = static_cast<std::uint32_t>(table.capacity() * 3 / 4);
  std::vector<std::uint32_t> kept;
  for (std::uint32_t n = 0; n < flows; ++n) {
    ASSERT_EQ(table.find(key_of(n), hash::mix(n)), nullptr);
    if (table.insert(key_of(n), hash::mix(n), meta(n)) != nullptr) kept.push_back(n);
  }
  EXPECT_GT(kept.size(), flows - flows / 2000) << "a refusal at this load must be rare";
  for (const std::uint32_t n : kept) {
    const Ipv4Flow* flow = table.find(key_of(n), hash::mix(n));
    ASSERT_NE(flow, nullptr) << "flow " << n << " was lost";
    ASSERT_EQ(flow->meta.backend().value, n);
  }
  EXPECT_EQ(table.live(), kept.size());
}

TEST(FlowTable, RefusesWhenBothBucketsAreFull) {
  std::vector<Table::Bucket> memory(2);
  Table table(memory);
  for (std::uint32_t n = 0; n < 8; ++n) {
    EXPECT_NE(table.insert(key_of(n), 0, meta(1)), nullptr);
  }
  EXPECT_EQ(table.insert(key_of(9), 0, meta(1)), nullptr);
  EXPECT_EQ(table.live(), 8U);
}

TEST(FlowTable, SameTupleOfAnotherServiceIsAnotherFlow) {
  std::vector<Table::Bucket> memory(16);
  Table table(memory);
  Table::Key other = key_of(5);
  other.service = ServiceId(2);
  ASSERT_NE(table.insert(key_of(5), 99, meta(1)), nullptr);
  EXPECT_EQ(table.find(other, 99), nullptr);
}

TEST(FlowTable, SizesHoldTheFlowsTheyAreAskedFor) {
  EXPECT_EQ(Table::buckets_for(1), 2U);
  EXPECT_GE(Table::buckets_for(1'000'000) * Table::kPerBucket, 1'333'333U);
  EXPECT_GE(FlowTable<Ipv6Flow>::buckets_for(1'000'000) * 2, 1'333'333U);
}

class NatTableOfWorkers : public ::testing::TestWithParam<std::uint16_t> {};
INSTANTIATE_TEST_SUITE_P(Workers, NatTableOfWorkers, ::testing::Values(1, 2, 3, 7, 128));

TEST_P(NatTableOfWorkers, NoTwoWorkersEverShareAPort) {
  const std::uint16_t workers = GetParam();
  std::set<std::uint16_t> seen;
  for (std::uint16_t w = 0; w < workers; ++w) {
    std::vector<NatRecord> memory(NatTable::records_needed(2, workers));
    NatTable table(memory, 2, workers, WorkerId(w));
    while (const auto port = table.allocate(1)) {
      ASSERT_TRUE(seen.insert(*port).second) << *port;
      ASSERT_EQ(table.owner(*port), WorkerId(w));
      table.record({1, *port}).service = ServiceId(1);
    }
    EXPECT_EQ(table.used(), NatTable::ports_per_worker(workers) - limits::kNatPortsResting);
  }
  EXPECT_GE(*seen.begin(), limits::kFirstNatPort);
}

TEST(NatTable, ReusesThePortThatRestedLongest) {
  std::vector<NatRecord> memory(NatTable::records_needed(1, 1));
  NatTable table(memory, 1, 1, WorkerId(0));
  const std::uint16_t first = *table.allocate(0);
  const std::uint16_t second = *table.allocate(0);
  table.release({0, first});
  table.release({0, second});
  std::vector<std::uint16_t> order;
  while (const auto port = table.allocate(0)) order.push_back(*port);
  EXPECT_EQ(order.front(), first + 2);
  EXPECT_EQ(std::set<std::uint16_t>(order.begin(), order.end()).size(), order.size());
  // The two just released are the youngest: they are among those that rest.
  EXPECT_EQ(std::count(order.begin(), order.end(), first), 0);
}

TEST(NatTable, StartsAtThePortItIsToldAndGoesRound) {
  std::vector<NatRecord> memory(NatTable::records_needed(1, 1));
  NatTable table(memory, 1, 1, WorkerId(0), limits::kNatPorts + limits::kNatPorts - 1);
  EXPECT_EQ(table.allocate(0), 65535);
  EXPECT_EQ(table.allocate(0), limits::kFirstNatPort);
}

TEST(NatTable, KnowsNoOwnerBelowItsRange) {
  std::vector<NatRecord> memory(NatTable::records_needed(1, 7));
  NatTable table(memory, 1, 7, WorkerId(0));
  EXPECT_EQ(table.owner(80), std::nullopt);
  EXPECT_EQ(table.owner(1023), std::nullopt);
  EXPECT_EQ(table.owner(1024), WorkerId(0));
  EXPECT_EQ(table.owner(1030), WorkerId(6));
}

TEST(NatTable, TheLastPortHasAnOwnerOrNone) {
  // 64512 is not a multiple of 5: the ports left over belong to nobody.
  std::vector<NatRecord> memory(NatTable::records_needed(1, 5));
  NatTable table(memory, 1, 5, WorkerId(4));
  EXPECT_EQ(table.owner(65535), std::nullopt);
  EXPECT_EQ(table.owner(65533), WorkerId(4));
}

TEST(NatRecord, KeepsBackendPortAndRouteApart) {
  NatRecord record;
  record.set_route(BackendId(0xfffff), PortId(15), true);
  EXPECT_EQ(record.backend(), BackendId(0xfffff));
  EXPECT_EQ(record.client_port_id(), PortId(15));
  EXPECT_TRUE(record.by_gateway());
  record.set_route(BackendId(1), PortId(0), false);
  EXPECT_EQ(record.backend(), BackendId(1));
  EXPECT_EQ(record.client_port_id(), PortId(0));
  EXPECT_FALSE(record.by_gateway());
}

}  // namespace
}  // namespace hawser::table
