// Snapshots built from what has changed are the same as those built whole.
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "../support/frame.h"
#include "../support/harness.h"

namespace hawser::tests {
namespace {

using pipeline::ServiceEntry;
using pipeline::Snapshot;

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::uint32_t below(std::size_t n) { return static_cast<std::uint32_t>(engine_() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }

 private:
  std::mt19937 engine_;
};

constexpr std::uint32_t kSlots = 251;

void expect_same_table(const ServiceEntry& a, const ServiceEntry& b) {
  ASSERT_EQ(a.table == nullptr, b.table == nullptr);
  if (a.table == nullptr) return;
  ASSERT_EQ(a.table->slots(), b.table->slots());
  ASSERT_EQ(a.previous == nullptr, b.previous == nullptr);
  for (std::uint32_t slot = 0; slot < a.table->slots(); ++slot) {
    ASSERT_EQ(a.table->owner(slot), b.table->owner(slot));
    ASSERT_EQ(a.table->changed(slot), b.table->changed(slot));
    if (a.previous == nullptr) continue;
    const BackendId* before_a = a.previous->find({slot});
    const BackendId* before_b = b.previous->find({slot});
    ASSERT_EQ(before_a == nullptr, before_b == nullptr);
    if (before_a != nullptr) {
      ASSERT_EQ(*before_a, *before_b);
    }
  }
}

void expect_same_service(const ServiceEntry& a, const ServiceEntry& b) {
  ASSERT_EQ(a.address, b.address);
  ASSERT_EQ(a.port, b.port);
  ASSERT_EQ(a.protocol, b.protocol);
  ASSERT_EQ(a.forward, b.forward);
  ASSERT_EQ(a.timeout, b.timeout);
  ASSERT_EQ(a.members, b.members);
  ASSERT_EQ(a.leaving, b.leaving);
  ASSERT_EQ(a.changed_ms, b.changed_ms);
  ASSERT_EQ(a.total_weight, b.total_weight);
  ASSERT_EQ(a.access.table == nullptr, b.access.table == nullptr);
  ASSERT_EQ(a.access.unlisted_denied, b.access.unlisted_denied);
  expect_same_table(a, b);
}

// What nobody has may be missing at the end.
template <typename T>
const T& entry_or_none(const std::vector<T>& entries, std::size_t id) {
  static const T none{};
  return id < entries.size() ? entries[id] : none;
}
std::string name_or_none(const pipeline::Names& names, std::size_t id) {
  return id < names.size() ? names[id] : "";
}

void expect_same(const Snapshot& a, const Snapshot& b, const model::ServiceList& services) {
  ASSERT_EQ(a.epoch, b.epoch);
  ASSERT_EQ(a.slots_moved, b.slots_moved);
  for (std::size_t id = 0; id < std::max(a.services.size(), b.services.size()); ++id) {
    SCOPED_TRACE("service " + std::to_string(id));
    expect_same_service(entry_or_none(a.services, id), entry_or_none(b.services, id));
    ASSERT_EQ(name_or_none(a.service_names, id), name_or_none(b.service_names, id));
    if (::testing::Test::HasFatalFailure()) return;
  }
  for (std::size_t id = 0; id < std::max(a.backends.size(), b.backends.size()); ++id) {
    SCOPED_TRACE("backend " + std::to_string(id));
    const pipeline::BackendEntry& one = entry_or_none(a.backends, id);
    const pipeline::BackendEntry& other = entry_or_none(b.backends, id);
    ASSERT_EQ(one.address, other.address);
    ASSERT_EQ(one.port, other.port);
    ASSERT_EQ(one.service, other.service);
    ASSERT_EQ(one.next_hop, other.next_hop);
    ASSERT_EQ(one.admission, other.admission);
    ASSERT_EQ(one.weight, other.weight);
    ASSERT_EQ(one.path, other.path);
    ASSERT_EQ(name_or_none(a.backend_names, id), name_or_none(b.backend_names, id));
  }
  for (const model::Service& service : services) {
    const table::Ipv4Endpoint key{service.address.v4(), net::Big16(service.port),
                                  net::kProtocolTcp};
    ASSERT_NE(a.ipv4_services.find(key), nullptr);
    ASSERT_EQ(*a.ipv4_services.find(key), *b.ipv4_services.find(key));
    for (const model::Backend& backend : service.backends) {
      const auto* one = a.paths.find({backend.address});
      const auto* other = b.paths.find({backend.address});
      ASSERT_EQ(one == nullptr, other == nullptr);
      if (one != nullptr) {
        ASSERT_EQ(*one, *other);
      }
    }
  }
}

// A configuration that changes a little at a time; some of what it becomes is refused.
class Changing {
 public:
  explicit Changing(std::uint32_t seed) : random_(seed) {
    for (std::uint32_t i = 0; i < 4; ++i) wanted_.services.push_back(fresh_service());
  }

  const model::Desired& next() {
    wanted_.epoch = Epoch(wanted_.epoch.value + 1);
    wanted_.flow_key = Harness::key();
    const std::uint32_t changes = random_.below(3);
    for (std::uint32_t i = 0; i < changes; ++i) change();
    return wanted_;
  }
  // As it was before what was refused.
  void take_back(const model::Desired& running) {
    const Epoch epoch = wanted_.epoch;
    wanted_ = running;
    wanted_.epoch = epoch;
  }

 private:
  model::Backend fresh_backend() {
    const std::string number = std::to_string(1 + random_.below(12));
    return backend("b" + number, "10.0.1." + number, 80, 1 + random_.below(300));
  }
  model::Service fresh_service() {
    const std::uint32_t number = random_.below(9);
    model::Service made = service("s" + std::to_string(random_.below(40)),
                                  "10.0.2." + std::to_string(1 + number), 80, {});
    made.table_slots = kSlots;
    made.forward = static_cast<model::Forward>(random_.below(3));  // nat, dsr-l2, dsr-ipip
    if (random_.one_in(3) && !wanted_.prefix_lists.empty()) made.protection.deny = {"bad"};
    for (std::uint32_t i = 0; i < 4; ++i) made.backends.push_back(fresh_backend());
    return made;
  }

  void change() {
    std::vector<model::ServiceList::Pointer> list;
    for (std::size_t i = 0; i < wanted_.services.size(); ++i) {
      list.push_back(wanted_.services.shared(i));
    }
    const std::uint32_t what = random_.below(12);
    const std::uint32_t at = list.empty() ? 0 : random_.below(list.size());
    if (what == 0 || list.empty()) {
      list.insert(list.begin() + at, std::make_shared<const model::Service>(fresh_service()));
    } else if (what == 1) {
      list.erase(list.begin() + at);
    } else if (what == 2) {
      std::swap(list[at], list[random_.below(list.size())]);
    } else if (what == 3) {
      change_lists();
    } else {
      list[at] = std::make_shared<const model::Service>(changed(*list[at]));
    }
    wanted_.services = {};
    for (auto& service : list) wanted_.services.push_back(std::move(service));
  }

  model::Service changed(model::Service service) {
    const std::uint32_t what = random_.below(8);
    if (what == 0) service.name = "s" + std::to_string(random_.below(40));
    if (what == 1) service.backends.push_back(fresh_backend());
    if (service.backends.empty()) return service;
    model::Backend& one = service.backends[random_.below(service.backends.size())];
    if (what == 2) service.backends.erase(service.backends.begin());
    if (what == 3) service.timeouts.udp = static_cast<std::uint16_t>(1 + random_.below(900));
    if (what == 4 || what == 5) one.admission = static_cast<model::Admission>(random_.below(3));
    if (what >= 6) one.weight = 1 + random_.below(300);
    return service;
  }

  void change_lists() {
    auto prefixes = std::make_shared<const std::vector<net::Prefix>>(
        std::vector<net::Prefix>{prefix(random_.one_in(2) ? "10.0.80.7/32" : "10.0.80.9/32")});
    wanted_.prefix_lists = {{.name = "bad", .prefixes = std::move(prefixes)}};
  }

  Random random_;
  model::Desired wanted_;
};

// The same, with no service shared with anything.
model::Desired unshared(const model::Desired& desired) {
  model::Desired copy = desired;
  copy.services = {};
  for (const model::Service& service : desired.services) copy.services.push_back(service);
  return copy;
}

using Sent = std::pair<pipeline::Verdict, std::vector<std::uint8_t>>;

// Verdict and frame of a client's first packet, or of one from the middle of its connection.
Sent send(Harness& harness, const model::Service& service, std::uint32_t client,
          std::uint8_t flags) {
  std::vector<std::uint8_t> bytes =
      frame({.source = net::Ipv4Address{net::Big32(0x0a005000U + client % 16)},
             .destination = service.address,
             .source_port = static_cast<std::uint16_t>(1024 + client),
             .tcp_flags = flags});
  pipeline::Burst burst;
  burst.packets[0] = packet_over(bytes);
  burst.size = 1;
  harness.run(burst);
  return {burst.packets[0].verdict, bytes};
}

// The same configurations for both; unshared, everything is built again.
struct Pair {
  Harness from_changes;
  Harness whole;

  void set_flows(BackendId id, std::int64_t flows) {
    for (Harness* harness : {&from_changes, &whole}) {
      auto& counter = harness->worker().backends[id.value].flows;
      counter.add(static_cast<std::uint64_t>(flows) - counter.read());
    }
  }
  // Whether it was accepted.
  bool apply(const model::Desired& wanted, std::uint32_t now) {
    from_changes.set_milliseconds(now);
    whole.set_milliseconds(now);
    const Result<void> built = from_changes.try_apply_exactly(wanted);
    const Result<void> again = whole.try_apply_exactly(unshared(wanted));
    EXPECT_EQ(built ? "" : built.error().message, again ? "" : again.error().message);
    if (!built) return false;
    expect_same(from_changes.snapshot(), whole.snapshot(), wanted.services);
    const auto reused = from_changes.builder().reused();
    EXPECT_TRUE(std::equal(reused.begin(), reused.end(), whole.builder().reused().begin(),
                           whole.builder().reused().end()));
    return true;
  }
  // Packets that were forwarded, the same way by both.
  std::uint32_t send_everywhere(const model::Desired& running, Random& random) {
    std::uint32_t forwarded = 0;
    for (const model::Service& service : running.services) {
      if (model::is_tunnel(service.forward)) continue;  // these frames have no room for another
      for (int i = 0; i < 40; ++i) {
        const std::uint32_t client = random.below(60'000);
        const std::uint8_t flags = random.one_in(2) ? net::kTcpSyn : net::kTcpAck;
        const Sent sent = send(from_changes, service, client, flags);
        EXPECT_EQ(sent, send(whole, service, client, flags));
        forwarded += kind_of(sent.first) == pipeline::VerdictKind::kForward ? 1 : 0;
      }
    }
    return forwarded;
  }
};

TEST(SnapshotChanges, WhatIsBuiltFromTheChangesIsWhatIsBuiltWhole) {
  std::uint32_t accepted = 0;
  std::uint32_t forwarded = 0;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    Pair pair;
    Changing configuration(seed);
    Random random(seed + 1000);
    model::Desired running;
    for (std::uint32_t step = 0; step < 150; ++step) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", step " + std::to_string(step));
      // Who has flows keeps its id.
      const BackendId some(1 + random.below(40));
      pair.set_flows(some, random.one_in(2) ? 0 : 3);
      const model::Desired& wanted = configuration.next();
      if (pair.apply(wanted, 100'000 + step * 500)) {
        running = wanted;
        ++accepted;
      } else {
        configuration.take_back(running);
      }
      if (HasFailure()) return;
    }
    for (std::uint32_t id = 1; id < 200; ++id) pair.set_flows(BackendId(id), 0);
    forwarded += pair.send_everywhere(running, random);
    if (HasFailure()) return;
  }
  EXPECT_GT(accepted, 600U);
  EXPECT_GT(forwarded, 300U);
}

TEST(SnapshotChanges, AServiceThatIsSharedKeepsItsTableAndNamesAreShared) {
  Harness harness;
  model::Desired wanted{
      .epoch = Epoch(1),
      .flow_key = Harness::key(),
      .services = {service("web", "10.0.2.1", 80, {backend("b1", "10.0.1.1", 80)}),
                   service("shop", "10.0.2.2", 80, {backend("c1", "10.0.1.2", 80)})}};
  ASSERT_TRUE(harness.try_apply_exactly(wanted));
  const auto* table = harness.snapshot().services[2].table.get();
  const std::string* name = &harness.snapshot().backend_names[2];
  model::Service changed = wanted.services[0];
  changed.backends[0].weight = 7;
  wanted.services.put(0, changed);
  wanted.epoch = Epoch(2);
  ASSERT_TRUE(harness.try_apply_exactly(wanted));
  EXPECT_EQ(harness.snapshot().services[2].table.get(), table);
  EXPECT_EQ(&harness.snapshot().backend_names[2], name);
  EXPECT_EQ(harness.snapshot().backends[1].weight, 7U);
  ASSERT_EQ(harness.builder().take_changed_tables().size(), 2U);
  EXPECT_TRUE(harness.builder().take_changed_tables().empty());
}

TEST(SnapshotChanges, ARefusedChangeIsNotRememberedAsKnown) {
  Harness harness;
  model::Desired wanted{
      .epoch = Epoch(1),
      .flow_key = Harness::key(),
      .services = {service("web", "10.0.2.1", 80, {backend("b1", "10.0.1.1", 80)})}};
  ASSERT_TRUE(harness.try_apply_exactly(wanted));
  wanted.services.push_back(service("bad", "10.0.2.1", 80, {}));
  wanted.epoch = Epoch(2);
  const Result<void> refused = harness.try_apply_exactly(wanted);
  ASSERT_FALSE(refused);
  EXPECT_EQ(harness.try_apply_exactly(wanted).error().message, refused.error().message);
}

}  // namespace
}  // namespace hawser::tests
