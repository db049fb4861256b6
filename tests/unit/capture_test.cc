// Captures: which packets are taken, as what, what is counted, and that nothing allocates.
#include "hawser/pipeline/capture.h"

#include <gtest/gtest.h>

#include "../support/allocations.h"
#include "../support/frame.h"
#include "../support/harness.h"

namespace hawser::tests {
namespace {

using pipeline::Burst;
using pipeline::CaptureFilter;
using pipeline::CaptureRecord;
using pipeline::CaptureRing;
using pipeline::Verdict;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kRing = 1U << 20;

struct Taken {
  CaptureRecord record;
  Bytes bytes;
};

class CaptureTest : public testing::Test {
 protected:
  CaptureTest() {
    harness_.apply({service("web", "10.0.0.100", 80, {backend("b1", "10.0.1.1", 8080)}),
                    service("other", "10.0.0.101", 80, {backend("o1", "10.0.1.2", 8080)})});
  }

  void capture(const CaptureFilter& filter, std::size_t ring = kRing) {
    capture_ = std::make_unique<pipeline::Capture>(filter, ring);
    harness_.worker().capture = capture_.get();
  }

  // Runs the frames as one burst; what they have become.
  std::vector<Verdict> run(std::vector<Bytes>& frames, bool again = false) {
    Burst burst;
    for (Bytes& bytes : frames) burst.packets[burst.size++] = packet_over(bytes);
    burst.again = again;
    harness_.run(burst);
    std::vector<Verdict> verdicts;
    for (const pipeline::Packet& packet : burst.span()) verdicts.push_back(packet.verdict);
    return verdicts;
  }
  Verdict run_one(Bytes bytes) {
    std::vector<Bytes> frames{std::move(bytes)};
    return run(frames).front();
  }

  std::vector<Taken> taken() {
    std::vector<Taken> all;
    Taken one;
    while (capture_->ring().take(one.record, one.bytes)) all.push_back(one);
    return all;
  }
  const pipeline::CaptureCounters& counters() { return capture_->counters(PortId(0)); }

  static FrameSpec client(std::string_view from, std::string_view to = "10.0.0.100",
                          std::uint8_t flags = net::kTcpSyn) {
    return {.source = address(from), .destination = address(to), .tcp_flags = flags};
  }
  static Bytes bad_checksum(std::string_view from) {
    Bytes bytes = frame(client(from));
    bytes[24] ^= 0xff;
    return bytes;
  }
  // What the backend answers to the packet that was sent to it.
  static Bytes answer_to(const Taken& sent) {
    const auto ip = load<net::Ipv4Header>(sent.bytes.data() + sizeof(net::EthernetHeader));
    const auto tcp = load<net::TcpHeader>(sent.bytes.data() + sizeof(net::EthernetHeader) +
                                          sizeof(net::Ipv4Header));
    return frame({.source = ip.destination,
                  .destination = ip.source,
                  .source_port = tcp.destination_port.host(),
                  .destination_port = tcp.source_port.host(),
                  .tcp_flags = net::kTcpSyn | net::kTcpAck});
  }

  Harness harness_;
  std::unique_ptr<pipeline::Capture> capture_;
};

TEST_F(CaptureTest, AForwardedPacketIsThereAsItCameAndAsItWent) {
  capture({});
  std::vector<Bytes> frames{frame(client("10.0.9.1"))};
  const Bytes original = frames[0];
  ASSERT_EQ(run(frames).front(), Verdict::kForwardNat);
  const std::vector<Taken> all = taken();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].bytes, original);
  EXPECT_FALSE(all[0].record.sent);
  EXPECT_EQ(all[0].record.verdict, Verdict::kForwardNat);
  EXPECT_EQ(all[0].record.backend, harness_.id_of("b1"));
  EXPECT_EQ(all[0].record.length, original.size());
  EXPECT_NE(all[1].bytes, original);
  EXPECT_EQ(all[1].bytes, frames[0]);
  EXPECT_TRUE(all[1].record.sent && all[1].record.paired && !all[1].record.made);
  EXPECT_EQ(counters().matched.read(), 1U);
}

TEST_F(CaptureTest, AClientIsFoundInBothDirections) {
  capture({.clients = prefix("10.0.9.1/32")});
  run_one(frame(client("10.0.9.2")));
  EXPECT_TRUE(taken().empty());
  run_one(frame(client("10.0.9.1")));
  const std::vector<Taken> there = taken();
  ASSERT_EQ(there.size(), 2U);
  ASSERT_EQ(run_one(answer_to(there[1])), Verdict::kReturnNat);
  const std::vector<Taken> back = taken();
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[0].bytes, answer_to(there[1]));
  EXPECT_EQ(back[1].record.verdict, Verdict::kReturnNat);
}

TEST_F(CaptureTest, ServiceAndBackendAndVerdictFilter) {
  capture({.service = ServiceId(1)});
  run_one(frame(client("10.0.9.1", "10.0.0.101")));
  EXPECT_TRUE(taken().empty());
  run_one(frame(client("10.0.9.1")));
  EXPECT_EQ(taken().size(), 2U);

  std::vector<bool> backends(8);
  backends[harness_.id_of("o1").value] = true;
  capture({.backends = backends});
  run_one(frame(client("10.0.9.3")));
  EXPECT_TRUE(taken().empty()) << "a new flow on another backend";
  run_one(frame(client("10.0.9.3", "10.0.0.101")));
  EXPECT_EQ(taken().size(), 2U) << "a new flow";
  run_one(frame(client("10.0.9.3", "10.0.0.101", net::kTcpAck)));
  EXPECT_EQ(taken().size(), 2U) << "a known flow";

  CaptureFilter filter;
  filter.verdicts.set(static_cast<std::size_t>(Verdict::kIpv4BadChecksum));
  capture(filter);
  run_one(frame(client("10.0.9.4")));
  EXPECT_TRUE(taken().empty());
  ASSERT_EQ(run_one(bad_checksum("10.0.9.4")), Verdict::kIpv4BadChecksum);
  const std::vector<Taken> all = taken();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].bytes, bad_checksum("10.0.9.4"));
  EXPECT_EQ(all[0].record.service, ServiceId());
}

TEST_F(CaptureTest, ADropIsFoundByItsClientThoughNoStageHasReadIt) {
  capture({.clients = prefix("10.0.9.0/24")});
  run_one(bad_checksum("10.0.8.1"));
  EXPECT_TRUE(taken().empty());
  run_one(bad_checksum("10.0.9.1"));
  EXPECT_EQ(taken().size(), 1U);
}

TEST_F(CaptureTest, WhatIsAnsweredWhereItLiesIsThereAsItCame) {
  capture({});
  Bytes request = frame({.source = address("10.0.9.1"),
                         .destination = address("10.0.0.100"),
                         .protocol = net::kProtocolUdp});
  // An echo request made of the UDP frame: type 8, identifier, sequence number.
  request[23] = net::kProtocolIcmp;
  std::fill(request.begin() + 34, request.end(), std::uint8_t{0});
  request[34] = 8;
  request[36] = 0xf7;
  request[37] = 0xff;
  auto ip = load<net::Ipv4Header>(request.data() + 14);
  ip.checksum = {};
  store(request.data() + 14, ip);
  ip.checksum = net::checksum({request.data() + 14, sizeof(ip)});
  store(request.data() + 14, ip);
  ASSERT_EQ(run_one(request), Verdict::kReplyEcho);
  const std::vector<Taken> all = taken();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].bytes, request);
  EXPECT_NE(all[1].bytes, request);
  EXPECT_TRUE(all[1].record.sent);
}

TEST_F(CaptureTest, AResetIsThereWithTheSegmentItAnswers) {
  capture({});
  const Bytes stray = frame(client("10.0.9.1", "10.0.0.100", net::kTcpAck));
  const Verdict verdict = run_one(stray);
  const std::vector<Taken> all = taken();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all[0].bytes, stray);
  EXPECT_EQ(all.size(), kind_of(verdict) == pipeline::VerdictKind::kReply ? 2U : 1U);
}

TEST_F(CaptureTest, EitherSideAlone) {
  capture({.sent = false});
  run_one(frame(client("10.0.9.1")));
  ASSERT_EQ(taken().size(), 1U);
  capture({.received = false});
  run_one(frame(client("10.0.9.2")));
  const std::vector<Taken> all = taken();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].record.sent);
  EXPECT_FALSE(all[0].record.paired);
  run_one(bad_checksum("10.0.9.2"));
  EXPECT_TRUE(taken().empty());
  EXPECT_EQ(counters().matched.read(), 1U) << "what has no such side is not counted";
}

TEST_F(CaptureTest, WhatWasHeldIsThereAsReceivedOnce) {
  capture({});
  std::vector<Bytes> frames{frame(client("10.0.9.1"))};
  run(frames, true);
  std::vector<Taken> all = taken();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].record.sent);
  // Unless only what it became is asked for.
  CaptureFilter filter;
  filter.verdicts.set(static_cast<std::size_t>(Verdict::kForwardNat));
  capture(filter);
  frames = {frame(client("10.0.9.2"))};
  run(frames, true);
  EXPECT_EQ(taken().size(), 2U);
}

TEST_F(CaptureTest, FramesAreCutToTheSnap) {
  capture({.snap = limits::kMinCaptureSnap});
  FrameSpec spec = client("10.0.9.1");
  spec.payload = 500;
  const Bytes whole = frame(spec);
  run_one(whole);
  const std::vector<Taken> all = taken();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].bytes, Bytes(whole.begin(), whole.begin() + limits::kMinCaptureSnap));
  EXPECT_EQ(all[0].record.length, whole.size());
}

TEST_F(CaptureTest, OneOfTenIsTaken) {
  capture({.sample = 10});
  for (int i = 0; i < 100; ++i) run_one(frame(client("10.0.9.1")));
  EXPECT_EQ(taken().size(), 20U);
  EXPECT_EQ(counters().matched.read(), 100U);
  EXPECT_EQ(counters().sampled_out.read(), 90U);
}

TEST_F(CaptureTest, MoreThanTheRateIsCountedAndComesBackWithTime) {
  capture({.sent = false}, 8U << 20);
  const std::uint32_t sent = limits::kCaptureBurst + 100;
  for (std::uint32_t i = 0; i < sent; ++i) run_one(frame(client("10.0.9.1")));
  EXPECT_EQ(taken().size(), limits::kCaptureBurst);
  EXPECT_EQ(counters().over_rate.read(), 100U);
  harness_.set_milliseconds(100'001);
  for (std::uint32_t i = 0; i < sent; ++i) run_one(frame(client("10.0.9.1")));
  EXPECT_EQ(taken().size(), limits::kCapturePerMillisecond);
}

TEST_F(CaptureTest, AFullRingTakesNothingByHalves) {
  constexpr std::size_t kSmall = 1024;
  capture({}, kSmall);
  std::size_t taken_packets = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 10; ++i) run_one(frame(client("10.0.9.1")));
    const std::vector<Taken> all = taken();
    ASSERT_EQ(all.size() % 2, 0U);
    for (std::size_t i = 0; i < all.size(); i += 2) {
      EXPECT_EQ(all[i].bytes.size(), 54U);
      EXPECT_TRUE(!all[i].record.sent && all[i + 1].record.sent);
    }
    taken_packets += all.size() / 2;
  }
  EXPECT_EQ(taken_packets + counters().ring_full.read(), 500U);
  EXPECT_GT(counters().ring_full.read(), 0U);
}

TEST_F(CaptureTest, NothingIsAllocatedForAPacket) {
  capture({.clients = prefix("10.0.0.0/8")});
  std::vector<Bytes> frames(limits::kBurst, frame(client("10.0.9.1")));
  Burst burst;
  for (Bytes& bytes : frames) burst.packets[burst.size++] = packet_over(bytes);
  const std::uint64_t before = allocations();
  harness_.run(burst);
  EXPECT_EQ(allocations(), before);
  EXPECT_EQ(counters().matched.read(), limits::kBurst);
}

TEST(CaptureRing, RecordsOfAllSizesSurviveWrapping) {
  CaptureRing ring(4096);
  std::uint32_t written = 0;
  std::uint32_t read = 0;
  Taken one;
  const auto bytes_of = [](std::uint32_t n) {
    return Bytes(n * 37 % 900, static_cast<std::uint8_t>(n));
  };
  while (read < 10'000) {
    const Bytes bytes = bytes_of(written);
    if (ring.has_room(CaptureRing::size_of(bytes.size()))) {
      ring.put({.ticks = written++, .stored = static_cast<std::uint16_t>(bytes.size())},
               bytes.data());
      if (written % 3 == 0) ring.publish();
      continue;
    }
    ring.publish();
    while (ring.take(one.record, one.bytes)) {
      ASSERT_EQ(one.record.ticks, read);
      ASSERT_EQ(one.bytes, bytes_of(read));
      ++read;
    }
  }
}

TEST(CaptureRing, NothingIsSeenBeforeItIsPublished) {
  CaptureRing ring(4096);
  Taken one;
  const Bytes bytes(10, 7);
  ring.put({.stored = 10}, bytes.data());
  EXPECT_FALSE(ring.take(one.record, one.bytes));
  ring.publish();
  EXPECT_TRUE(ring.take(one.record, one.bytes));
  EXPECT_EQ(one.bytes, bytes);
}

}  // namespace
}  // namespace hawser::tests
