// The resolver's states over a time that the test moves, without ports or packets.
#include <algorithm>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/resolver.h"
#include "hawser/base/limits.h"

namespace hawser::dataplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr net::MacAddress kPortMac{{2, 0, 0, 0, 0, 1}};
constexpr net::MacAddress kMac{{2, 0, 0, 0, 0, 0x11}};
constexpr net::MacAddress kOtherMac{{2, 0, 0, 0, 0, 0x22}};
constexpr PortId kPort{0};

net::IpAddress address(std::string_view text) {
  return *net::parse_address(text);
}

class ResolverTest : public testing::Test {
 protected:
  ResolverTest() : macs_(1024), resolver_(std::vector{setup()}, macs_) {
    set_targets({"10.0.0.11", "fd00::11"});
  }

  static pipeline::PortSetup setup() {
    return {.name = "lan",
            .mac = kPortMac,
            .addresses = {*net::parse_prefix("10.9.0.1/24"), *net::parse_prefix("10.0.0.1/24"),
                          *net::parse_prefix("fd00::1/64")},
            .gateways = {},
            .nat_addresses = {}};
  }

  void set_targets(std::initializer_list<std::string_view> texts) {
    targets_.clear();
    for (const std::string_view text : texts) targets_.push_back({kPort, address(text)});
    resolver_.set_targets(targets_, now_);
  }

  // Moves the time on in ticks and returns what was sent.
  std::vector<Resolver::Probe> pass(milliseconds time) {
    std::vector<Resolver::Probe> probes;
    for (const Uptime end = now_ + time; now_ < end; now_ += limits::kResolverTick) {
      resolver_.tick(now_, probes);
    }
    return probes;
  }

  void answer(std::size_t index, const net::MacAddress& mac) {
    resolver_.learn(kPort, {targets_[index].address, mac, true, true}, now_);
  }
  void announce(std::size_t index, const net::MacAddress& mac, bool overrides = true) {
    resolver_.learn(kPort, {targets_[index].address, mac, false, overrides}, now_);
  }
  [[nodiscard]] NeighbourState state(std::size_t index) const {
    return resolver_.view(index, now_).state;
  }
  [[nodiscard]] std::optional<net::MacAddress> mac(std::uint32_t index) const {
    return macs_.get(pipeline::NeighbourId(index));
  }

  pipeline::NeighbourMacs macs_;
  Resolver resolver_;
  std::vector<pipeline::NeighbourTarget> targets_;
  Uptime now_{milliseconds(500)};
};

bool is_broadcast(const Resolver::Probe& probe) {
  return (probe.frame.bytes[0] & 1U) != 0;
}

TEST_F(ResolverTest, ATargetIsAskedForAtOnceAndEachSecondUntilItAnswers) {
  EXPECT_EQ(pass(milliseconds(100)).size(), 2U);
  EXPECT_EQ(pass(milliseconds(900)).size(), 0U);
  EXPECT_EQ(pass(seconds(5)).size(), 10U);
  EXPECT_FALSE(mac(0));
}

TEST_F(ResolverTest, AnAnswerMakesItReachable) {
  pass(milliseconds(100));
  answer(0, kMac);
  EXPECT_EQ(state(0), NeighbourState::kReachable);
  EXPECT_EQ(mac(0), kMac);
  EXPECT_EQ(state(1), NeighbourState::kResolving);
  EXPECT_FALSE(mac(1));
}

TEST_F(ResolverTest, TheQuestionComesFromTheOwnAddressInTheSameNetwork) {
  const auto probes = pass(milliseconds(100));
  ASSERT_EQ(probes.size(), 2U);
  const auto arp = read_news(probes[0].frame.span());
  ASSERT_TRUE(arp);
  EXPECT_EQ(arp->address, address("10.0.0.1"));
  EXPECT_EQ(arp->mac, kPortMac);
  const auto solicitation = read_news(probes[1].frame.span());
  ASSERT_TRUE(solicitation);
  EXPECT_EQ(solicitation->address, address("fd00::1"));
}

TEST_F(ResolverTest, ALinkLocalTargetIsAskedFromALinkLocalAddress) {
  set_targets({"10.0.0.11", "fd00::11", "fe80::1"});
  const auto probes = pass(milliseconds(100));
  ASSERT_EQ(probes.size(), 3U);
  const auto news = read_news(probes[2].frame.span());
  ASSERT_TRUE(news);
  EXPECT_EQ(news->address, net::IpAddress(link_local(kPortMac)));
}

TEST_F(ResolverTest, AfterThreeUnansweredProbesItHasFailedButIsStillAskedFor) {
  pass(seconds(3));
  EXPECT_EQ(state(0), NeighbourState::kResolving);
  pass(milliseconds(100));
  EXPECT_EQ(state(0), NeighbourState::kFailed);
  EXPECT_EQ(resolver_.totals().failures, 2U);
  EXPECT_EQ(pass(seconds(10)).size(), 20U);
}

TEST_F(ResolverTest, AFailedOneThatComesBackIsFoundAtItsFirstAnswer) {
  pass(seconds(60));
  answer(0, kMac);
  EXPECT_EQ(state(0), NeighbourState::kReachable);
  EXPECT_EQ(mac(0), kMac);
}

TEST_F(ResolverTest, AReachableOneIsAskedAgainWithoutLosingItsMac) {
  answer(0, kMac);
  answer(1, kMac);
  EXPECT_TRUE(pass(seconds(29)).empty());
  const auto probes = pass(milliseconds(1100));
  ASSERT_FALSE(probes.empty());
  EXPECT_FALSE(is_broadcast(probes[0])) << "first where it last was";
  EXPECT_EQ(state(0), NeighbourState::kStale);
  EXPECT_EQ(mac(0), kMac);
  answer(0, kMac);
  EXPECT_EQ(state(0), NeighbourState::kReachable);
}

TEST_F(ResolverTest, AStaleOneIsAskedOnceThenSearchedThreeTimesThenGivenUp) {
  answer(0, kMac);
  now_ += limits::kReachable;
  std::vector<Resolver::Probe> probes = pass(milliseconds(3900));
  std::erase_if(probes, [](const auto& probe) { return probe.frame.length != 42; });
  ASSERT_EQ(probes.size(), 4U);
  EXPECT_FALSE(is_broadcast(probes[0]));
  EXPECT_TRUE(std::all_of(probes.begin() + 1, probes.end(), is_broadcast));
  EXPECT_EQ(mac(0), kMac) << "packets go there until the last probe is unanswered";
  pass(milliseconds(200));
  EXPECT_EQ(state(0), NeighbourState::kFailed);
  EXPECT_FALSE(mac(0));
}

TEST_F(ResolverTest, AnAnnouncementIsUsedAtOnceAndVerified) {
  answer(1, kMac);
  announce(0, kMac);
  EXPECT_EQ(mac(0), kMac);
  EXPECT_EQ(state(0), NeighbourState::kStale);
  const auto probes = pass(milliseconds(100));
  ASSERT_EQ(probes.size(), 1U);
  EXPECT_FALSE(is_broadcast(probes[0]));
}

TEST_F(ResolverTest, AMoveToAnotherMacIsFollowedAndCounted) {
  answer(0, kMac);
  announce(0, kOtherMac);
  EXPECT_EQ(mac(0), kOtherMac);
  EXPECT_EQ(state(0), NeighbourState::kStale);
  EXPECT_EQ(resolver_.totals().moves, 1U);
}

TEST_F(ResolverTest, AnAnnouncementOfWhatIsKnownChangesNothing) {
  answer(0, kMac);
  announce(0, kMac);
  EXPECT_EQ(state(0), NeighbourState::kReachable);
  EXPECT_EQ(resolver_.totals().moves, 0U);
}

TEST_F(ResolverTest, AClaimThatDoesNotInsistOnlyRaisesDoubt) {
  // RFC 4861 section 7.2.5: without the override flag another address is not taken over.
  answer(1, kMac);
  announce(1, kOtherMac, false);
  EXPECT_EQ(mac(1), kMac);
  EXPECT_EQ(state(1), NeighbourState::kStale);
}

TEST_F(ResolverTest, AConfirmationWithoutMacKeepsAKnownOne) {
  answer(1, kMac);
  now_ += limits::kReachable;
  pass(milliseconds(100));
  ASSERT_EQ(state(1), NeighbourState::kStale);
  resolver_.learn(kPort, {targets_[1].address, std::nullopt, true, false}, now_);
  EXPECT_EQ(state(1), NeighbourState::kReachable);
  EXPECT_EQ(mac(1), kMac);
}

TEST_F(ResolverTest, AConfirmationWithoutMacSaysNothingOfAnUnknownOne) {
  resolver_.learn(kPort, {targets_[1].address, std::nullopt, true, false}, now_);
  EXPECT_EQ(state(1), NeighbourState::kResolving);
  EXPECT_FALSE(mac(1));
}

TEST_F(ResolverTest, WhoIsNoTargetIsNotRemembered) {
  resolver_.learn(kPort, {address("10.0.0.99"), kMac, true, true}, now_);
  resolver_.learn(PortId(1), {targets_[0].address, kMac, true, true}, now_);
  EXPECT_EQ(resolver_.totals().answers, 0U);
  EXPECT_FALSE(mac(0));
}

TEST_F(ResolverTest, TargetsAddedLaterKeepTheNumbersOfTheOthers) {
  answer(0, kMac);
  set_targets({"10.0.0.11", "fd00::11", "10.0.0.12"});
  EXPECT_EQ(resolver_.size(), 3U);
  EXPECT_EQ(mac(0), kMac);
  answer(2, kOtherMac);
  EXPECT_EQ(mac(2), kOtherMac);
}

TEST_F(ResolverTest, ManyTargetsAreAskedForInTurn) {
  targets_.clear();
  for (std::uint32_t i = 0; i < 3 * limits::kProbesPerTick; ++i) {
    targets_.push_back({kPort, net::IpAddress(net::Ipv4Address{net::Big32(0x0a000100 + i)})});
  }
  pipeline::NeighbourMacs macs(targets_.size());
  Resolver resolver(std::vector{setup()}, macs);
  resolver.set_targets(targets_, now_);
  std::vector<std::size_t> asked;
  for (int tick = 0; tick < 4; ++tick) {
    std::vector<Resolver::Probe> probes;
    resolver.tick(now_ + limits::kResolverTick * tick, probes);
    asked.push_back(probes.size());
  }
  const std::size_t most = limits::kProbesPerTick;
  EXPECT_EQ(asked, (std::vector<std::size_t>{most, most, most, 0}));
}

TEST_F(ResolverTest, TheAgeIsThatOfTheLastAnswer) {
  answer(0, kMac);
  now_ += seconds(7);
  EXPECT_EQ(resolver_.view(0, now_).age_seconds, 7U);
  EXPECT_EQ(resolver_.view(1, now_).age_seconds, 0U);
}

}  // namespace
}  // namespace hawser::dataplane
