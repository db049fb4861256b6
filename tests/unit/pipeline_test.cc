// Properties of the whole pipeline: spread by weight, exact counts, no allocation per packet.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "../support/allocations.h"
#include "../support/frame.h"
#include "../support/harness.h"

namespace hawser::tests {
namespace {

using pipeline::Burst;
using pipeline::Verdict;

// Random 32-bit numbers from a fixed seed.
class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine_()); }

 private:
  std::mt19937 engine_;
};

FrameSpec client(std::uint32_t host, std::uint16_t port, std::uint8_t flags = net::kTcpSyn) {
  return {.source = net::Ipv4Address{net::Big32(0x0a005000U + host)},
          .destination = address("10.0.0.100"),
          .source_port = port,
          .tcp_flags = flags};
}

Verdict send(Harness& harness, std::vector<std::uint8_t>& bytes) {
  Burst burst;
  burst.packets[0] = packet_over(bytes);
  burst.size = 1;
  harness.run(burst);
  return burst.packets[0].verdict;
}

Verdict send(Harness& harness, const FrameSpec& spec) {
  std::vector<std::uint8_t> bytes = frame(spec);
  return send(harness, bytes);
}

std::vector<model::Service> weighted() {
  return {service("web", "10.0.0.100", 80,
                  {backend("b1", "10.0.1.1", 8080, 100), backend("b2", "10.0.1.2", 8080, 200),
                   backend("b3", "10.0.1.3", 8080, 700)})};
}

TEST(Pipeline, NewFlowsFollowTheWeights) {
  Harness harness;
  harness.apply(weighted());
  for (std::uint16_t port = 1000; port < 4000; ++port) {
    ASSERT_EQ(send(harness, client(1, port)), Verdict::kForwardNat);
  }
  EXPECT_NEAR(static_cast<double>(harness.flows_of(harness.id_of("b1"))), 300, 60);
  EXPECT_NEAR(static_cast<double>(harness.flows_of(harness.id_of("b2"))), 600, 80);
  EXPECT_NEAR(static_cast<double>(harness.flows_of(harness.id_of("b3"))), 2100, 100);
}

TEST(Pipeline, SourceAffinityKeepsAClientOnOneBackendAndSpreadsClients) {
  Harness harness;
  std::vector<model::Service> services = weighted();
  services[0].affinity.by = model::AffinityBy::kSource;
  services[0].bounded_load_permille = 0;  // as the configuration has it with this affinity
  harness.apply(services);
  std::map<std::uint32_t, std::size_t> backends_used;
  for (std::uint32_t host = 1; host <= 50; ++host) {
    std::map<BackendId, int> seen;
    for (std::uint16_t port = 1000; port < 1010; ++port) {
      std::vector<std::uint8_t> bytes = frame(client(host, port));
      Burst burst;
      burst.packets[0] = packet_over(bytes);
      burst.size = 1;
      harness.run(burst);
      ++seen[burst.packets[0].backend];
    }
    ASSERT_EQ(seen.size(), 1U) << "client " << host;
    ++backends_used[seen.begin()->first.value];
  }
  EXPECT_EQ(backends_used.size(), 3U);
}

// Everything sent is accounted for: one verdict a packet, counts that match the tables.
void expect_consistent(Harness& harness, std::uint64_t packets) {
  std::uint64_t verdicts = 0;
  for (const stats::Counter& counter : harness.worker().verdicts) verdicts += counter.read();
  EXPECT_EQ(verdicts, packets);
  EXPECT_EQ(harness.worker().verdicts[0].read(), 0U) << "a packet left undecided";
  std::uint64_t flows = 0;
  for (const stats::BackendCounters& counters : harness.worker().backends) {
    flows += counters.flows.read();
  }
  EXPECT_EQ(flows, harness.worker().ipv4.live() + harness.worker().ipv6.live());
}

// Ports of one client whose flows go on when they send the next packet.
std::set<std::uint16_t> ports_that_go_on(Harness& harness, const std::set<std::uint16_t>& ports) {
  std::set<std::uint16_t> kept;
  for (const std::uint16_t port : ports) {
    const Verdict verdict = send(harness, client(1, port, net::kTcpAck));
    if (verdict == Verdict::kForwardNat)
      kept.insert(port);
    else
      EXPECT_EQ(verdict, Verdict::kReplyReset);
  }
  return kept;
}

TEST(Pipeline, ADrainingBackendsFlowsAreLetGoPartByPart) {
  Harness harness;
  std::vector<model::Service> services{
      service("web", "10.0.0.100", 80, {backend("b1", "10.0.1.1", 8080, 100)})};
  harness.apply(services);
  std::set<std::uint16_t> ports;
  for (std::uint16_t port = 1000; port < 3000; ++port) {
    ASSERT_EQ(send(harness, client(1, port)), Verdict::kForwardNat);
    ports.insert(port);
  }
  model::Backend& leaving = services[0].backends[0];
  leaving.admission = model::Admission::kDraining;
  leaving.departure.sessions = limits::kSlices;  // is not about flows
  harness.apply(services);
  EXPECT_EQ(ports_that_go_on(harness, ports), ports);
  for (const int eighths : {1, 4, 7}) {
    leaving.departure.flows = static_cast<std::uint16_t>(limits::kSlices / 8 * eighths);
    harness.apply(services);
    const std::set<std::uint16_t> left = ports_that_go_on(harness, ports);
    EXPECT_NEAR(static_cast<double>(left.size()), 250.0 * (8 - eighths), 80);
    EXPECT_TRUE(std::includes(ports.begin(), ports.end(), left.begin(), left.end()));
    ports = left;
  }
  leaving.departure.flows = limits::kSlices;
  harness.apply(services);
  EXPECT_TRUE(ports_that_go_on(harness, ports).empty());
  EXPECT_EQ(harness.flows_of(harness.id_of("b1")), 0U);
}

TEST(Pipeline, ADrainingBackendsSessionsAreLetGoPartByPartAndStayAway) {
  pipeline::BackendEntry entry;
  entry.admission = model::Admission::kDraining;
  std::uint64_t before = 10'000;
  for (const int part : {0, 1024, 2048, 3072, 4096}) {
    std::uint64_t kept = 0;
    for (std::uint64_t session = 0; session < 10'000; ++session) {
      entry.departure.sessions = static_cast<std::uint16_t>(part);
      const bool keeps = entry.keeps_session(session);
      kept += keeps ? 1 : 0;
      // Who has gone does not come back.
      entry.departure.sessions = static_cast<std::uint16_t>(part / 2);
      EXPECT_TRUE(!keeps || entry.keeps_session(session));
    }
    EXPECT_NEAR(static_cast<double>(kept), 10'000.0 * (4096 - part) / 4096, 200);
    EXPECT_LE(kept, before);
    before = kept;
  }
  EXPECT_EQ(before, 0U);
  entry.admission = model::Admission::kServing;
  EXPECT_TRUE(entry.keeps_session(1));
  entry.admission = model::Admission::kDown;
  entry.departure = {};
  EXPECT_FALSE(entry.keeps_session(1));
  EXPECT_FALSE(entry.keeps_flow(1));
}

TEST(Pipeline, CountsStayExactThroughRandomTrafficChangesAndExpiry) {
  Harness harness({default_port()}, {.ipv4_buckets = 64, .ipv6_buckets = 2, .backends = 4096});
  std::vector<model::Service> services = weighted();
  harness.apply(services);
  Random random(3);
  std::uint64_t packets = 0;
  std::uint16_t now = 100;
  constexpr std::array<std::uint8_t, 5> kFlags{
      net::kTcpSyn, net::kTcpAck, net::kTcpFin | net::kTcpAck, net::kTcpRst, net::kTcpAck};
  for (int step = 0; step < 60'000; ++step) {
    const std::uint8_t flags = kFlags[random() % kFlags.size()];
    send(harness, client(random() % 40, static_cast<std::uint16_t>(1000 + random() % 20), flags));
    ++packets;
    if (step % 50 == 0) harness.set_time(now += static_cast<std::uint16_t>(random() % 20));
    if (step % 7 == 0) {
      pipeline::Context context = harness.context();
      pipeline::sweep(context, random() % 5'000'000);
    }
    if (step % 100 != 0) continue;
    model::Backend& changed = services[0].backends[random() % services[0].backends.size()];
    changed.weight = 1 + random() % 1000;
    changed.admission = static_cast<model::Admission>(random() % 3);
    harness.apply(services);
    expect_consistent(harness, packets);
    ASSERT_EQ(harness.worker().nat.used(), harness.worker().ipv4.live());
  }
  harness.apply({});
  pipeline::Context context = harness.context();
  for (int i = 0; i < 10; ++i) pipeline::sweep(context, 20'000'000);
  EXPECT_EQ(harness.worker().ipv4.live(), 0U) << "flows of a removed service are swept";
  EXPECT_EQ(harness.worker().nat.used(), 0U);
  expect_consistent(harness, packets);
}

TEST(Pipeline, NoPacketAllocates) {
  Harness harness;
  harness.apply(weighted());
  std::vector<std::vector<std::uint8_t>> frames;
  for (std::uint32_t i = 0; i < 320; ++i) {
    frames.push_back(frame(client(i % 7, static_cast<std::uint16_t>(2000 + i % 50),
                                  i % 3 == 0 ? net::kTcpSyn : net::kTcpAck)));
  }
  const std::uint64_t before = allocations();
  for (std::size_t first = 0; first < frames.size(); first += limits::kBurst) {
    Burst burst;
    for (std::size_t i = 0; i < limits::kBurst; ++i) {
      burst.packets[i] = packet_over(frames[first + i]);
    }
    burst.size = limits::kBurst;
    harness.run(burst);
    pipeline::Context context = harness.context();
    pipeline::sweep(context, 1000);
  }
  EXPECT_EQ(allocations(), before);
  EXPECT_GT(harness.worker().ipv4.live(), 0U);
}

TEST(Pipeline, WhatLeavesHasSoundChecksumsInBothFamilies) {
  Harness harness({default_port()}, {.ipv4_buckets = 4096, .ipv6_buckets = 4096});
  harness.apply({service("web", "10.0.0.100", 80, {backend("b1", "10.0.1.1", 8080)}),
                 service("six", "fd00::100", 80, {backend("b2", "fd00::1:1", 8080)})});
  Random random(4);
  for (int i = 0; i < 5000; ++i) {
    const bool six = i % 2 == 0;
    FrameSpec spec = client(random() % 250, static_cast<std::uint16_t>(1024 + random() % 60'000));
    if (six) {
      net::IpAddress from = address("fd00::c0:0");
      from.bytes[15] = static_cast<std::uint8_t>(random());
      spec.source = from;
      spec.destination = address("fd00::100");
    }
    spec.payload = random() % 64;
    std::vector<std::uint8_t> bytes = frame(spec);
    ASSERT_EQ(send(harness, bytes), Verdict::kForwardNat);
    ASSERT_TRUE(checksums_hold(bytes));
  }
}

TEST(Pipeline, ASweepRoundForgetsEveryIdleFlow) {
  Harness harness;
  harness.apply(weighted());
  for (std::uint16_t port = 1000; port < 1500; ++port) send(harness, client(1, port));
  EXPECT_EQ(harness.worker().ipv4.live(), 500U);
  harness.set_time(100 + 61);  // handshake timeout is 60 s
  pipeline::Context context = harness.context();
  for (int i = 0; i < 1000; ++i) pipeline::sweep(context, 20'000);  // 20 s in all: one round
  EXPECT_EQ(harness.worker().ipv4.live(), 0U);
  EXPECT_EQ(harness.worker().expired.read(), 500U);
}

}  // namespace
}  // namespace hawser::tests
