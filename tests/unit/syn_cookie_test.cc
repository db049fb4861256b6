// SYN cookies: golden vectors, what is kept of every offer, and what is refused.
#include "hawser/l4/syn_cookie.h"

#include <algorithm>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/allocations.h"
#include "hawser/base/limits.h"

namespace hawser::l4 {
namespace {

constexpr SynKey kKey{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
constexpr Sequence kIsn{0x12345678};
constexpr std::uint32_t kWindow = 27'343'750;

SynTuple tuple_of(const char* client, const char* service) {
  return {.client = net::parse_address(client).value(),
          .service = net::parse_address(service).value(),
          .client_port = net::Big16(40000),
          .service_port = net::Big16(443)};
}

const SynTuple kIpv4 = tuple_of("192.0.2.1", "198.51.100.2");
const SynTuple kIpv6 = tuple_of("2001:db8::1", "2001:db8::2");

std::optional<std::uint32_t> echo_of(const SynAnswer& answer) {
  if (!answer.kept.timestamps) return std::nullopt;
  return answer.timestamp;
}

std::optional<SynOffer> check(const SynTuple& tuple, const SynAnswer& answer,
                              std::uint32_t window = kWindow) {
  return check_syn_cookie(kKey, tuple, kIsn, answer.sequence, echo_of(answer), window);
}

// Every offer that matters: MSS around each value that can be kept, all scales and none.
std::vector<SynOffer> all_offers() {
  std::set<std::uint16_t> sizes{0, 1, 65535};
  for (const int size :
       {536, 1200, 1220, 1280, 1300, 1340, 1360, 1400, 1420, 1440, 1460, 8940, 8960}) {
    for (const int by : {-1, 0, 1}) sizes.insert(static_cast<std::uint16_t>(size + by));
  }
  std::vector<SynOffer> offers;
  for (const std::uint16_t mss : sizes) {
    for (int scale = -1; scale <= 14; ++scale) {
      for (unsigned flags = 0; flags < 4; ++flags) {
        SynOffer offer{.mss = mss, .sack = (flags & 1) != 0, .timestamps = (flags & 2) != 0};
        if (scale >= 0) offer.window_scale = static_cast<std::uint8_t>(scale);
        offers.push_back(offer);
      }
    }
  }
  return offers;
}

// --- golden vectors ------------------------------------------------------------------------------

// Printed by tests/unit/cookie_vectors.py, an implementation that shares nothing with this one.
TEST(SynCookie, IsAsItsTwinMakesIt) {
  constexpr std::array<std::array<std::uint32_t, 4>, 2> kAlone{
      {{0xe7854f38, 0x7fbdbe71, 0xa8af5266, 0x5e4b5d4b},
       {0x2cda7800, 0x76951811, 0xe6827872, 0x6a6e8123}}};
  constexpr std::array<std::array<std::uint32_t, 4>, 2> kWithTimestamp{
      {{0xf2028e78, 0xed9096d5, 0x00e359c3, 0xd71b2b1e},
       {0xcf86b0fc, 0x36e536d5, 0xb8fa7c38, 0xb0dde01e}}};
  const std::array<SynOffer, 4> profiles{{
      {.mss = 1220},
      {.mss = 1440 - 1, .window_scale = 8, .sack = true},
      {.mss = 1460, .window_scale = 8, .sack = true},
      {.mss = 1460, .window_scale = 7, .sack = true},
  }};
  for (std::size_t family = 0; family < 2; ++family) {
    const SynTuple& tuple = family == 0 ? kIpv4 : kIpv6;
    for (std::size_t i = 0; i < profiles.size(); ++i) {
      EXPECT_EQ(make_syn_cookie(kKey, tuple, kIsn, profiles[i], kWindow).sequence.value,
                kAlone[family][i]);
    }
    const SynOffer rich{.mss = 1460, .window_scale = 10, .sack = true, .timestamps = true};
    const SynAnswer first = make_syn_cookie(kKey, tuple, kIsn, rich, kWindow);
    EXPECT_EQ(first.sequence.value, kWithTimestamp[family][0]);
    EXPECT_EQ(first.timestamp, kWithTimestamp[family][1]);
    const SynOffer poor{.mss = 1220 - 21, .timestamps = true};
    const SynAnswer second = make_syn_cookie(kKey, tuple, kIsn, poor, kWindow);
    EXPECT_EQ(second.sequence.value, kWithTimestamp[family][2]);
    EXPECT_EQ(second.timestamp, kWithTimestamp[family][3]);
  }
}

// --- what is kept --------------------------------------------------------------------------------

TEST(SynCookie, EveryOfferComesBackAsKeptAndNoMoreThanOffered) {
  for (const SynTuple& tuple : {kIpv4, kIpv6}) {
    const std::uint16_t least = tuple.client.is_ipv4() ? 536 : 1220;
    for (const SynOffer& offer : all_offers()) {
      const SynAnswer answer = make_syn_cookie(kKey, tuple, kIsn, offer, kWindow);
      ASSERT_EQ(check(tuple, answer), answer.kept);
      ASSERT_LE(answer.kept.mss, std::max(offer.mss, least)) << offer.mss;
      ASSERT_GE(answer.kept.mss, least);
      ASSERT_LE(answer.kept.sack, offer.sack);
      ASSERT_EQ(answer.kept.timestamps, offer.timestamps);
      if (answer.kept.window_scale) {
        ASSERT_EQ(answer.kept.window_scale, offer.window_scale);
      }
      if (offer.timestamps) {
        ASSERT_EQ(answer.kept.window_scale, offer.window_scale);
        ASSERT_EQ(answer.kept.sack, offer.sack);
      } else {
        ASSERT_EQ(answer.timestamp, 0U);
      }
    }
  }
}

struct KeptRow {
  const char* title;
  SynOffer offer;
  SynOffer ipv4;
  SynOffer ipv6;
};

TEST(SynCookie, TheBestProfileThatFitsIsKept) {
  const SynOffer none4{.mss = 536};
  const SynOffer none6{.mss = 1220};
  const auto with = [](std::uint16_t mss, std::uint8_t scale) {
    return SynOffer{.mss = mss, .window_scale = scale, .sack = true};
  };
  const std::vector<KeptRow> rows{
      {"Linux", with(1460, 7), with(1460, 7), with(1440, 7)},
      {"Windows", with(1460, 8), with(1460, 8), with(1440, 8)},
      {"jumbo frames", with(8960, 7), with(1460, 7), with(1440, 7)},
      {"PPPoE", with(1440, 8), with(1360, 8), with(1440, 8)},
      {"a tunnel", with(1360, 8), with(1360, 8), with(1340, 8)},
      {"a narrow tunnel", with(1340, 8), none4, with(1340, 8)},
      {"a narrower one", with(1339, 8), none4, none6},
      {"a tunnel and scale 7", with(1360, 7), none4, none6},
      {"another scale", with(1460, 9), none4, none6},
      {"no scale", {.mss = 1460, .sack = true}, none4, none6},
      {"no SACK", {.mss = 1460, .window_scale = 7}, none4, none6},
      {"below what every host accepts", {.mss = 100}, none4, none6},
  };
  for (const KeptRow& row : rows) {
    EXPECT_EQ(make_syn_cookie(kKey, kIpv4, kIsn, row.offer, kWindow).kept, row.ipv4) << row.title;
    EXPECT_EQ(make_syn_cookie(kKey, kIpv6, kIsn, row.offer, kWindow).kept, row.ipv6) << row.title;
  }
}

TEST(SynCookie, WithTimestampsTheLargestMssNotAboveTheOfferIsKept) {
  const std::array<std::vector<std::uint16_t>, 2> tables{
      {{536, 1200, 1300, 1360, 1400, 1440, 1460, 8960},
       {1220, 1280, 1340, 1360, 1400, 1420, 1440, 8940}}};
  for (unsigned mss = 0; mss < 65536; ++mss) {
    const SynOffer offer{.mss = static_cast<std::uint16_t>(mss), .timestamps = true};
    for (std::size_t family = 0; family < 2; ++family) {
      const SynTuple& tuple = family == 0 ? kIpv4 : kIpv6;
      std::uint16_t expected = tables[family][0];
      for (const std::uint16_t candidate : tables[family]) {
        if (candidate <= mss) expected = candidate;
      }
      ASSERT_EQ(make_syn_cookie(kKey, tuple, kIsn, offer, kWindow).kept.mss, expected) << mss;
    }
  }
}

TEST(SynCookie, AScaleAboveTheLargestCountsAsThat) {
  const SynOffer offer{.mss = 1460, .window_scale = 200, .timestamps = true};
  const SynAnswer answer = make_syn_cookie(kKey, kIpv4, kIsn, offer, kWindow);
  EXPECT_EQ(answer.kept.window_scale, limits::kMaxWindowScale);
  EXPECT_EQ(check(kIpv4, answer), answer.kept);
}

// --- what is refused -----------------------------------------------------------------------------

constexpr SynOffer kLinux{.mss = 1460, .window_scale = 7, .sack = true};
constexpr SynOffer kLinuxWithTimestamps{
    .mss = 1460, .window_scale = 7, .sack = true, .timestamps = true};

// Calls `use` with each family, and an answer with and without timestamps.
template <typename Use>
void for_each_answer(Use&& use) {
  for (const SynTuple& tuple : {kIpv4, kIpv6}) {
    for (const SynOffer& offer : {kLinux, kLinuxWithTimestamps}) {
      use(tuple, make_syn_cookie(kKey, tuple, kIsn, offer, kWindow));
    }
  }
}

TEST(SynCookie, IsGoodInItsWindowAndTheNext) {
  for_each_answer([](const SynTuple& tuple, const SynAnswer& answer) {
    EXPECT_FALSE(check(tuple, answer, kWindow - 1).has_value());
    EXPECT_EQ(check(tuple, answer, kWindow), answer.kept);
    EXPECT_EQ(check(tuple, answer, kWindow + 1), answer.kept);
    EXPECT_FALSE(check(tuple, answer, kWindow + 2).has_value());
    EXPECT_FALSE(check(tuple, answer, kWindow + 1000).has_value());
  });
  const SynAnswer last = make_syn_cookie(kKey, kIpv4, kIsn, kLinux, UINT32_MAX);
  EXPECT_TRUE(check(kIpv4, last, 0).has_value());
  EXPECT_EQ(syn_window(63), 0U);
  EXPECT_EQ(syn_window(64), 1U);
}

TEST(SynCookie, IsGoodForOneConnectionUnderOneKey) {
  for_each_answer([](const SynTuple& tuple, const SynAnswer& answer) {
    const auto echo = echo_of(answer);
    for (std::size_t bit = 0; bit < 8 * tuple.client.size(); ++bit) {
      const auto flip = [bit](net::IpAddress& address) {
        address.bytes[bit / 8] = static_cast<std::uint8_t>(address.bytes[bit / 8] ^ 1U << bit % 8);
      };
      SynTuple other = tuple;
      flip(other.client);
      ASSERT_FALSE(check(other, answer).has_value()) << "client " << bit;
      other = tuple;
      flip(other.service);
      ASSERT_FALSE(check(other, answer).has_value()) << "service " << bit;
    }
    for (unsigned bit = 0; bit < 16; ++bit) {
      const auto flipped = [bit](net::Big16 port) {
        return net::Big16(static_cast<std::uint16_t>(port.host() ^ 1U << bit));
      };
      SynTuple other = tuple;
      other.client_port = flipped(tuple.client_port);
      ASSERT_FALSE(check(other, answer).has_value()) << "client port " << bit;
      other = tuple;
      other.service_port = flipped(tuple.service_port);
      ASSERT_FALSE(check(other, answer).has_value()) << "service port " << bit;
    }
    for (unsigned bit = 0; bit < 32; ++bit) {
      const Sequence other{kIsn.value ^ 1U << bit};
      ASSERT_FALSE(
          check_syn_cookie(kKey, tuple, other, answer.sequence, echo, kWindow).has_value());
    }
    for (unsigned bit = 0; bit < 128; ++bit) {
      SynKey other = kKey;
      other[bit / 8] = static_cast<std::uint8_t>(other[bit / 8] ^ 1U << bit % 8);
      ASSERT_FALSE(
          check_syn_cookie(other, tuple, kIsn, answer.sequence, echo, kWindow).has_value());
    }
    SynTuple swapped = tuple;
    std::swap(swapped.client, swapped.service);
    std::swap(swapped.client_port, swapped.service_port);
    EXPECT_FALSE(check(swapped, answer).has_value());
  });
}

TEST(SynCookie, AnAddressOfOneFamilyIsNoneOfTheOther) {
  // The same bytes, as far as there are any.
  SynTuple mapped = kIpv4;
  mapped.client.family = mapped.service.family = net::Family::kIpv6;
  const SynAnswer answer = make_syn_cookie(kKey, kIpv4, kIsn, kLinuxWithTimestamps, kWindow);
  EXPECT_FALSE(check(mapped, answer).has_value());
}

TEST(SynCookie, OneAndTwoFlippedBitsAreRefused) {
  for_each_answer([](const SynTuple& tuple, const SynAnswer& answer) {
    const unsigned bits = answer.kept.timestamps ? 64 : 32;
    const std::uint64_t good = std::uint64_t{answer.timestamp} << 32U | answer.sequence.value;
    for (unsigned first = 0; first < bits; ++first) {
      for (unsigned second = first; second < bits; ++second) {
        std::uint64_t wrong = good ^ std::uint64_t{1} << first;
        if (second != first) wrong ^= std::uint64_t{1} << second;
        std::optional<std::uint32_t> echo;
        if (answer.kept.timestamps) echo = static_cast<std::uint32_t>(wrong >> 32U);
        const Sequence sequence{static_cast<std::uint32_t>(wrong)};
        ASSERT_FALSE(check_syn_cookie(kKey, tuple, kIsn, sequence, echo, kWindow).has_value())
            << first << " " << second;
      }
    }
  });
}

TEST(SynCookie, OfAllOptionBytesOneIsGood) {
  const SynAnswer answer = make_syn_cookie(kKey, kIpv4, kIsn, kLinuxWithTimestamps, kWindow);
  int good = 0;
  for (std::uint32_t options = 0; options < 256; ++options) {
    const std::uint32_t echo = (answer.timestamp & ~0xffU) | options;
    if (check_syn_cookie(kKey, kIpv4, kIsn, answer.sequence, echo, kWindow)) ++good;
  }
  EXPECT_EQ(good, 1);
}

TEST(SynCookie, OneKindIsNoneOfTheOther) {
  const SynAnswer with = make_syn_cookie(kKey, kIpv4, kIsn, kLinuxWithTimestamps, kWindow);
  EXPECT_FALSE(check_syn_cookie(kKey, kIpv4, kIsn, with.sequence, std::nullopt, kWindow));
  const SynAnswer alone = make_syn_cookie(kKey, kIpv4, kIsn, kLinux, kWindow);
  for (std::uint32_t echo = 0; echo < 65536; ++echo) {
    ASSERT_FALSE(check_syn_cookie(kKey, kIpv4, kIsn, alone.sequence, echo, kWindow));
  }
}

// Without timestamps eight of 2^32 numbers are good for a connection: the four profiles of two
// windows. Those eight are found; among 2^22 random ones there is, with odds of 127 to 1, none.
TEST(SynCookie, EightNumbersInAllAreGood) {
  std::set<std::uint32_t> good;
  for (const SynOffer& offer : all_offers()) {
    if (offer.timestamps) continue;
    for (const std::uint32_t window : {kWindow, kWindow - 1}) {
      const SynAnswer answer = make_syn_cookie(kKey, kIpv4, kIsn, offer, window);
      EXPECT_TRUE(check(kIpv4, answer).has_value());
      good.insert(answer.sequence.value);
    }
  }
  EXPECT_EQ(good.size(), 8U);
  std::mt19937 random(1);
  for (int i = 0; i < 1 << 22; ++i) {
    const Sequence guess{static_cast<std::uint32_t>(random())};
    ASSERT_EQ(check_syn_cookie(kKey, kIpv4, kIsn, guess, std::nullopt, kWindow).has_value(),
              good.contains(guess.value));
  }
}

TEST(SynCookie, NothingAllocates) {
  const std::uint64_t before = tests::allocations();
  const SynAnswer answer = make_syn_cookie(kKey, kIpv6, kIsn, kLinuxWithTimestamps, kWindow);
  const auto agreed = check(kIpv6, answer);
  EXPECT_EQ(tests::allocations(), before);
  EXPECT_TRUE(agreed.has_value());
}

}  // namespace
}  // namespace hawser::l4
