// Frames of neighbour resolution, byte for byte; the expected ones were built with scapy 2.5.
#include "dataplane/frames.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace hawser::dataplane {
namespace {

constexpr std::string_view kArpBroadcast =
    "ffffffffffff020000000001080600010800060400010200000000010a0000010000000000000a000002";
constexpr std::string_view kArpUnicast =
    "020000000002020000000001080600010800060400010200000000010a0000010000000000000a000002";
constexpr std::string_view kArpReply =
    "020000000001020000000002080600010800060400020200000000020a0000020200000000010a000001";
constexpr std::string_view kSolicitationToGroup =
    "3333ff00000202000000000186dd6000000000203afffd000000000000000000000000000001ff0200000000000000"
    "000001ff00000287007d9700000000fd0000000000000000000000000000020101020000000001";
constexpr std::string_view kSolicitationToOne =
    "02000000000202000000000186dd6000000000203afffd000000000000000000000000000001fd0000000000000000"
    "0000000000000287007e9b00000000fd0000000000000000000000000000020101020000000001";
constexpr std::string_view kAdvertisement =
    "02000000000102000000000286dd6000000000203afffd000000000000000000000000000002fd0000000000000000"
    "0000000000000188001c9a60000000fd0000000000000000000000000000020201020000000002";
constexpr std::string_view kAdvertisementWithoutOption =
    "02000000000102000000000286dd6000000000183afffd000000000000000000000000000002fd0000000000000000"
    "00000000000001880040a540000000fd000000000000000000000000000002";
constexpr std::string_view kUnsolicited =
    "33330000000102000000000286dd6000000000203afffd000000000000000000000000000002ff0200000000000000"
    "0000000000000188005a9820000000fd0000000000000000000000000000020201020000000002";
constexpr std::string_view kSolicitedToGroup =
    "33330000000102000000000286dd6000000000203afffd000000000000000000000000000002ff0200000000000000"
    "0000000000000188001a9860000000fd0000000000000000000000000000020201020000000002";
constexpr std::string_view kSolicitationFromNeighbour =
    "3333ff00000102000000000286dd6000000000203afffd000000000000000000000000000002ff0200000000000000"
    "000001ff00000187007d9700000000fd0000000000000000000000000000010101020000000002";
constexpr std::string_view kDuplicateDetection =
    "3333ff00000202000000000286dd6000000000183aff00000000000000000000000000000000ff0200000000000000"
    "000001ff00000287007da300000000fd000000000000000000000000000002";
constexpr std::string_view kHopLimit254 =
    "02000000000102000000000286dd6000000000203afefd000000000000000000000000000002fd0000000000000000"
    "0000000000000188001c9a60000000fd0000000000000000000000000000020201020000000002";
constexpr std::string_view kOptionOfLengthZero =
    "02000000000102000000000286dd6000000000203afffd000000000000000000000000000002fd0000000000000000"
    "0000000000000188001c9b60000000fd0000000000000000000000000000020200020000000002";

constexpr std::size_t kIcmpv6ChecksumAt = 14 + 40 + 2;

constexpr net::MacAddress kOurs{{2, 0, 0, 0, 0, 1}};
constexpr net::MacAddress kTheirs{{2, 0, 0, 0, 0, 2}};

net::IpAddress address(std::string_view text) {
  return *net::parse_address(text);
}

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::vector<std::uint8_t> bytes_of(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoul(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::optional<NeighbourNews> news_of(std::string_view text) {
  return read_news(bytes_of(text));
}

TEST(Probe, OfAnUnknownIpv4NeighbourAsksEverybody) {
  const Frame frame = probe({kOurs, address("10.0.0.1")}, address("10.0.0.2"), std::nullopt);
  EXPECT_EQ(hex(frame.span()), kArpBroadcast);
}

TEST(Probe, OfAKnownIpv4NeighbourAsksIt) {
  const Frame frame = probe({kOurs, address("10.0.0.1")}, address("10.0.0.2"), kTheirs);
  EXPECT_EQ(hex(frame.span()), kArpUnicast);
}

TEST(Probe, OfAnUnknownIpv6NeighbourAsksItsSolicitedNodeGroup) {
  const Frame frame = probe({kOurs, address("fd00::1")}, address("fd00::2"), std::nullopt);
  EXPECT_EQ(hex(frame.span()), kSolicitationToGroup);
}

TEST(Probe, OfAKnownIpv6NeighbourAsksIt) {
  const Frame frame = probe({kOurs, address("fd00::1")}, address("fd00::2"), kTheirs);
  EXPECT_EQ(hex(frame.span()), kSolicitationToOne);
}

TEST(LinkLocal, IsTheModifiedEui64OfRfc4291) {
  // RFC 4291 appendix A's way with RFC 2464 section 4's example address 34-56-78-9A-BC-DE.
  EXPECT_EQ(net::to_string(link_local({{0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde}})),
            "fe80::3656:78ff:fe9a:bcde");
}

TEST(News, AnArpReplyAnswersAQuestion) {
  const auto news = news_of(kArpReply);
  ASSERT_TRUE(news);
  EXPECT_EQ(news->address, address("10.0.0.2"));
  EXPECT_EQ(news->mac, kTheirs);
  EXPECT_TRUE(news->solicited);
  EXPECT_TRUE(news->overrides);
}

TEST(News, AnArpRequestTellsOfItsSender) {
  const auto news = news_of(kArpBroadcast);
  ASSERT_TRUE(news);
  EXPECT_EQ(news->address, address("10.0.0.1"));
  EXPECT_EQ(news->mac, kOurs);
  EXPECT_FALSE(news->solicited);
}

TEST(News, AnArpProbeTellsNothing) {
  // RFC 5227: the sender of a probe has no address yet.
  std::vector<std::uint8_t> frame = bytes_of(kArpBroadcast);
  std::fill_n(frame.begin() + 28, 4, std::uint8_t{0});
  EXPECT_FALSE(read_news(frame));
}

TEST(News, AnArpSenderWithAGroupMacIsNotBelieved) {
  std::vector<std::uint8_t> frame = bytes_of(kArpReply);
  frame[22] = 0x03;
  EXPECT_FALSE(read_news(frame));
}

TEST(News, ASolicitedAdvertisementAnswersAQuestion) {
  const auto news = news_of(kAdvertisement);
  ASSERT_TRUE(news);
  EXPECT_EQ(news->address, address("fd00::2"));
  EXPECT_EQ(news->mac, kTheirs);
  EXPECT_TRUE(news->solicited);
  EXPECT_TRUE(news->overrides);
}

TEST(News, AnAdvertisementMayConfirmWithoutNamingTheMac) {
  const auto news = news_of(kAdvertisementWithoutOption);
  ASSERT_TRUE(news);
  EXPECT_FALSE(news->mac);
  EXPECT_TRUE(news->solicited);
  EXPECT_FALSE(news->overrides);
}

TEST(News, AnUnsolicitedAdvertisementIsNoAnswer) {
  const auto news = news_of(kUnsolicited);
  ASSERT_TRUE(news);
  EXPECT_FALSE(news->solicited);
  EXPECT_TRUE(news->overrides);
}

TEST(News, ASolicitationTellsOfItsSender) {
  const auto news = news_of(kSolicitationFromNeighbour);
  ASSERT_TRUE(news);
  EXPECT_EQ(news->address, address("fd00::2"));
  EXPECT_EQ(news->mac, kTheirs);
  EXPECT_FALSE(news->solicited);
}

TEST(News, DuplicateAddressDetectionTellsNothing) {
  EXPECT_FALSE(news_of(kDuplicateDetection));
}

TEST(News, WhatFailsTheChecksOfRfc4861IsIgnored) {
  EXPECT_FALSE(news_of(kHopLimit254)) << "section 7.1.2: hop limit must be 255";
  EXPECT_FALSE(news_of(kOptionOfLengthZero)) << "section 7.1.2: options have a length";
  EXPECT_FALSE(news_of(kSolicitedToGroup)) << "section 7.1.2: to a group, but solicited";
  std::vector<std::uint8_t> frame = bytes_of(kAdvertisement);
  frame[kIcmpv6ChecksumAt] ^= 1U;
  EXPECT_FALSE(read_news(frame)) << "section 7.1.2: checksum";
}

TEST(News, ATruncatedFrameTellsNothing) {
  for (const std::string_view text : {kArpReply, kAdvertisement, kSolicitationFromNeighbour}) {
    const std::vector<std::uint8_t> frame = bytes_of(text);
    for (std::size_t length = 0; length < frame.size(); ++length) {
      // A copy of its own size, so that reading past its end is found.
      const std::vector<std::uint8_t> cut(frame.begin(),
                                          frame.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_FALSE(read_news(cut)) << text << " cut to " << length;
    }
  }
}

TEST(News, PaddingBehindTheMessageIsIgnored) {
  std::vector<std::uint8_t> frame = bytes_of(kAdvertisement);
  frame.resize(frame.size() + 20, 0xff);
  EXPECT_TRUE(read_news(frame));
}

TEST(News, OtherFramesTellNothing) {
  std::vector<std::uint8_t> frame = bytes_of(kAdvertisement);
  frame[12] = 0x08;
  frame[13] = 0x00;
  EXPECT_FALSE(read_news(frame));
}

}  // namespace
}  // namespace hawser::dataplane
