// Snapshots: what is refused, which ids stay, what is shared with the one before.
#include "hawser/pipeline/snapshot_builder.h"

#include <gtest/gtest.h>

#include "../support/frame.h"
#include "../support/harness.h"

namespace hawser::tests {
namespace {

std::vector<model::Service> web(std::vector<model::Backend> backends) {
  return {service("web", "10.0.0.100", 80, std::move(backends))};
}

std::string refusal(std::vector<model::Service> services) {
  Harness harness;
  const Result<void> result = harness.try_apply(std::move(services));
  return result ? "accepted" : result.error().message;
}

TEST(SnapshotBuilder, RefusesWhatCannotWorkAndSaysWhy) {
  EXPECT_EQ(refusal(web({backend("b1", "10.0.1.1", 80)})), "accepted");
  EXPECT_EQ(refusal({service("web", "10.0.0.100", 80, {}), service("web", "10.0.0.101", 80, {})}),
            "two services are named \"web\"");
  EXPECT_EQ(refusal({service("web", "10.0.0.100", 80, {}), service("shop", "10.0.0.100", 80, {})}),
            "service \"shop\" (10.0.0.100:80/tcp) overlaps service \"web\": address, port and "
            "protocol are the same");
  EXPECT_EQ(refusal(web({backend("b1", "10.0.1.1", 80), backend("b1", "10.0.1.2", 80)})),
            "service \"web\" (10.0.0.100:80/tcp) has two backends named \"b1\"");
  EXPECT_EQ(
      refusal(web({backend("b1", "fd00::9", 80)})),
      "service \"web\" (10.0.0.100:80/tcp), backend \"b1\" ([fd00::9]:80): service and backend "
      "must be of one address family; a tunnel can mix them");
  EXPECT_EQ(refusal(web({backend("b1", "192.0.2.1", 80)})),
            "service \"web\" (10.0.0.100:80/tcp), backend \"b1\" (192.0.2.1:80) is on no port's "
            "network, and no port has a gateway of its family");
  EXPECT_EQ(
      refusal({service("web", "10.0.0.2", 80, {})}),
      "service \"web\" (10.0.0.2:80/tcp): the address belongs to port \"uplink\" itself; give "
      "the service its own");
  EXPECT_EQ(refusal({service("web", "10.0.0.10", 80, {})}),
            "service \"web\" (10.0.0.10:80/tcp): the address is a NAT address of port \"uplink\"; "
            "give the service its own");
  EXPECT_EQ(refusal({service("web", "127.0.0.1", 80, {})}),
            "service \"web\" (127.0.0.1:80/tcp): nobody can be reached at this address");
}

TEST(SnapshotBuilder, RefusesForwardingThatItsModeCannotDo) {
  std::vector<model::Service> direct = web({backend("b1", "10.0.1.1", 8080)});
  direct[0].forward = model::Forward::kDsrL2;
  EXPECT_EQ(refusal(direct),
            "service \"web\" (10.0.0.100:80/tcp), backend \"b1\" (10.0.1.1:8080): dsr-l2 cannot "
            "change the port; it must be 80");
  std::vector<model::Service> odd = web({backend("b1", "10.0.1.1", 80)});
  odd[0].table_slots = 1000;
  EXPECT_EQ(
      refusal(odd),
      "service \"web\" (10.0.0.100:80/tcp): table_slots is 1000, must be a prime up to 16777216");

  pipeline::PortSetup no_nat = default_port();
  no_nat.nat_addresses.clear();
  no_nat.gateways = {address("10.0.0.1")};
  Harness harness({no_nat});
  const Result<void> nat = harness.try_apply(web({backend("b1", "10.0.1.1", 80)}));
  ASSERT_FALSE(nat);
  EXPECT_EQ(
      nat.error().message,
      "service \"web\" (10.0.0.100:80/tcp), backend \"b1\" (10.0.1.1:80): forward = \"nat\", but "
      "port \"uplink\" has no NAT address of its family");
  direct[0].backends = {backend("b1", "192.0.2.1", 80)};
  const Result<void> far = harness.try_apply(direct);
  ASSERT_FALSE(far);
  EXPECT_EQ(
      far.error().message,
      "service \"web\" (10.0.0.100:80/tcp), backend \"b1\" (192.0.2.1:80) is behind a gateway; "
      "dsr-l2 needs it on the link of a port");
}

TEST(SnapshotBuilder, RefusesAnOldEpochAndAnotherKeyAndKeepsTheRunningOne) {
  Harness harness;
  harness.apply(web({backend("b1", "10.0.1.1", 80)}));
  const auto services = web({backend("b2", "10.0.1.2", 80)});
  const Result<void> old = harness.try_apply_exactly(
      {.epoch = Epoch(harness.epoch()), .flow_key = Harness::key(), .services = services});
  ASSERT_FALSE(old);
  EXPECT_EQ(old.error().message, "epoch 1 is not above the running 1");
  const Result<void> keyed =
      harness.try_apply_exactly({.epoch = Epoch(9), .flow_key = {}, .services = services});
  ASSERT_FALSE(keyed);
  EXPECT_EQ(harness.snapshot().epoch, Epoch(1));
  EXPECT_EQ(harness.id_of("b2"), BackendId());
}

TEST(SnapshotBuilder, IdsStayWhenOthersComeAndGo) {
  Harness harness;
  harness.apply(web({backend("b1", "10.0.1.1", 80), backend("b2", "10.0.1.2", 80)}));
  const BackendId second = harness.id_of("b2");
  harness.apply(web({backend("b0", "10.0.1.9", 80), backend("b2", "10.0.1.2", 80)}));
  EXPECT_EQ(harness.id_of("b2"), second);
}

TEST(SnapshotBuilder, ARemovedBackendRestsAndThenItsIdIsReused) {
  Harness harness;
  harness.apply(web({backend("b1", "10.0.1.1", 80), backend("b2", "10.0.1.2", 80)}));
  const BackendId gone = harness.id_of("b1");
  harness.apply(web({backend("b2", "10.0.1.2", 80)}));
  EXPECT_EQ(harness.snapshot().backends[gone.value].admission, model::Admission::kDown);
  harness.apply(web({backend("b2", "10.0.1.2", 80), backend("b3", "10.0.1.3", 80)}));
  EXPECT_EQ(harness.id_of("b3"), gone);
  ASSERT_EQ(harness.builder().reused().size(), 1U);
  EXPECT_EQ(harness.builder().reused()[0], gone);
}

TEST(SnapshotBuilder, AnIdWithFlowsIsNotReused) {
  Harness harness;
  harness.apply(web({backend("b1", "10.0.1.1", 80), backend("b2", "10.0.1.2", 80)}));
  const BackendId gone = harness.id_of("b1");
  harness.worker().backends[gone.value].flows.add(1);
  for (int i = 0; i < 3; ++i) harness.apply(web({backend("b2", "10.0.1.2", 80)}));
  harness.apply(web({backend("b2", "10.0.1.2", 80), backend("b3", "10.0.1.3", 80)}));
  EXPECT_NE(harness.id_of("b3"), gone);
  EXPECT_EQ(harness.snapshot().backend_names[gone.value], "b1");
}

TEST(SnapshotBuilder, ARefusedSnapshotTakesNoId) {
  Harness harness;
  harness.apply(web({backend("b1", "10.0.1.1", 80)}));
  ASSERT_FALSE(harness.try_apply(web({backend("b2", "10.0.1.2", 80), backend("b3", "::1", 80)})));
  harness.apply(web({backend("b1", "10.0.1.1", 80), backend("b4", "10.0.1.4", 80)}));
  EXPECT_EQ(harness.id_of("b4"), BackendId(harness.id_of("b1").value + 1));
}

TEST(SnapshotBuilder, AnUnchangedServiceSharesItsTable) {
  Harness harness;
  harness.apply(web({backend("b1", "10.0.1.1", 80)}));
  const auto* table = harness.snapshot().services[1].table.get();
  harness.apply(web({backend("b1", "10.0.1.1", 80)}));
  EXPECT_EQ(harness.snapshot().services[1].table.get(), table);
  EXPECT_EQ(harness.snapshot().slots_moved, 0U);
}

TEST(SnapshotBuilder, DrainingLeavesTheTableAtOnceAndReadyBringsItBack) {
  Harness harness;
  std::vector<model::Service> services =
      web({backend("b1", "10.0.1.1", 80), backend("b2", "10.0.1.2", 80)});
  harness.apply(services);
  services[0].backends[0].admission = model::Admission::kDraining;
  harness.apply(services);
  EXPECT_EQ(harness.snapshot().services[1].members.size(), 1U);
  services[0].backends[0].admission = model::Admission::kServing;
  harness.apply(services);
  EXPECT_EQ(harness.snapshot().services[1].members.size(), 2U);
}

TEST(SnapshotBuilder, TheSameAddressUnderAnotherPortIsAnotherService) {
  Harness harness;
  harness.apply({service("web", "10.0.0.100", 80, {}), service("alt", "10.0.0.100", 81, {}),
                 service("six", "fd00::100", 80, {})});
  const auto& snapshot = harness.snapshot();
  const auto find = [&](std::uint16_t port) {
    return snapshot.ipv4_services.find({.address = address("10.0.0.100").v4(),
                                        .port = net::Big16(port),
                                        .protocol = net::kProtocolTcp});
  };
  ASSERT_NE(find(80), nullptr);
  ASSERT_NE(find(81), nullptr);
  EXPECT_NE(*find(80), *find(81));
  EXPECT_EQ(find(82), nullptr);
}

}  // namespace
}  // namespace hawser::tests
