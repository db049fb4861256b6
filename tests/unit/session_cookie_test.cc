// Session cookies: golden vectors, every fault in its order, every bit flipped, and base64url.
#include "hawser/affinity/session_cookie.h"

#include <cctype>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sodium.h>

#include "../spec/guarded_frame.h"
#include "../support/allocations.h"
#include "hawser/base/base64url.h"
#include "hawser/base/hex.h"

namespace hawser::affinity {
namespace {

using enum CookieFault;
using Bytes = std::vector<std::uint8_t>;

constexpr std::array<std::uint8_t, 16> kSecret{0, 1, 2,  3,  4,  5,  6,  7,
                                               8, 9, 10, 11, 12, 13, 14, 15};
constexpr std::array<std::uint8_t, 16> kOtherSecret{15, 14, 13, 12, 11, 10, 9, 8,
                                                    7,  6,  5,  4,  3,  2,  1, 0};
constexpr CookieKey kKey{.id = 7, .secret = kSecret};
constexpr CookieKey kOldKey{.id = 6, .secret = kOtherSecret};
constexpr std::array kKeys{kKey, kOldKey};
constexpr std::uint32_t kNow = 175'000'100;
constexpr Session kSession{.generation = 0x1234,
                           .backend = 0x89abcdef,
                           .id = 0x0123456789abcdef,
                           .born = 175'000'000,
                           .refreshed = 175'000'042,
                           .epoch = 77};
constexpr CookieLifetime kLifetime;

std::string written(const Session& session, const CookieKey& key = kKey,
                    std::string_view service = "shop") {
  std::array<char, kCookieText> out{};
  write_cookie(session, key, service, out);
  return {out.begin(), out.end()};
}

// From before an unreadable page, and from memory of exactly the right size.
CookieReading read(std::string_view value, std::uint32_t now = kNow,
                   const CookieLifetime& lifetime = kLifetime,
                   std::span<const CookieKey> keys = kKeys, std::string_view service = "shop") {
  static spec::GuardedFrame guarded;
  const Bytes bytes(value.begin(), value.end());
  const std::string_view placed(reinterpret_cast<const char*>(guarded.place(bytes, bytes.size())),
                                bytes.size());
  const CookieReading reading = read_cookie(placed, keys, service, lifetime, now);
  const std::string_view exact(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_EQ(read_cookie(exact, keys, service, lifetime, now).fault, reading.fault);
  return reading;
}

// --- SipHash -------------------------------------------------------------------------------------

TEST(SipHash, IsTheOneOfThePaper) {
  // The first 16 of the 64 vectors of the reference implementation (github.com/veorq/SipHash,
  // vectors.h, vectors_sip64): key 00 01 ... 0f, inputs of 0 to 15 bytes 00 01 ... The last is the
  // example in appendix A of the paper.
  constexpr std::array<const char*, 16> kTags{
      "310e0edd47db6f72", "fd67dc93c539f874", "5a4fa9d909806c0d", "2d7efbd796666785",
      "b7877127e09427cf", "8da699cd64557618", "cee3fe586e46c9cb", "37d1018bf50002ab",
      "6224939a79f5f593", "b0e4a90bdf82009e", "f3b9dd94c5bb5d7a", "a7ad6b22462fb3f4",
      "fbe50e86bc8f1e75", "903d84c02756ea14", "eef27a8e90ca23f7", "e545be4961ca29a1"};
  for (std::size_t length = 0; length < kTags.size(); ++length) {
    std::array<std::uint8_t, crypto_shorthash_BYTES> tag{};
    crypto_shorthash(tag.data(), kSecret.data(), length, kSecret.data());
    EXPECT_EQ(to_hex(tag), kTags[length]) << length;
  }
}

// --- what is written -----------------------------------------------------------------------------

// Printed by tests/unit/cookie_vectors.py, an implementation that shares nothing with this one.
TEST(SessionCookie, IsAsItsTwinWritesIt) {
  EXPECT_EQ(written({}, {.id = 0, .secret = kSecret}),
            "EAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABHQwKfBFgS7g");
  EXPECT_EQ(written(kSession), "FxI0iavN7wEjRWeJq83vCm5JwApuSeoAAAAAAAAATQDX5ItrhZojYw");
  const Session most{.generation = UINT16_MAX,
                     .backend = UINT32_MAX,
                     .id = UINT64_MAX,
                     .born = UINT32_MAX,
                     .refreshed = UINT32_MAX,
                     .epoch = UINT64_MAX};
  EXPECT_EQ(written(most, {.id = 15, .secret = kOtherSecret}, std::string(limits::kMaxName, 's')),
            "H________________________________________wBDy_vkptxNUQ");
}

TEST(SessionCookie, TagsOfNamesAreAsItsTwinMakesThem) {
  EXPECT_EQ(backend_tag(kSecret, "shop", "b1"), 0xd977d30fU);
  EXPECT_EQ(generation_tag(kSecret, "shop", "v42"), 0x8ff7U);
}

TEST(SessionCookie, TagsOfNamesDifferWithKeyServiceNameAndPurpose) {
  const auto tag = backend_tag(kSecret, "shop", "b1");
  EXPECT_NE(backend_tag(kOtherSecret, "shop", "b1"), tag);
  EXPECT_NE(backend_tag(kSecret, "sho", "pb1"), tag);
  EXPECT_NE(backend_tag(kSecret, "shop", "b2"), tag);
  EXPECT_NE(generation_tag(kSecret, "shop", "b1"), tag >> 16U);
  std::set<std::uint16_t> generations;
  for (int i = 0; i < 200'000; ++i) {
    generations.insert(generation_tag(kSecret, "shop", std::to_string(i)));
  }
  // Each but 0 comes up, save the e^(-200000 / 65536) = 4.73 % that chance leaves out.
  EXPECT_FALSE(generations.contains(0));
  EXPECT_NEAR(static_cast<double>(generations.size()), 65535 * (1 - 0.0473), 500);
}

TEST(SessionCookie, WhatIsWrittenIsRead) {
  std::mt19937_64 random(1);
  for (unsigned round = 0; round < 10'000; ++round) {
    const Session session{.generation = static_cast<std::uint16_t>(random()),
                          .backend = static_cast<std::uint32_t>(random()),
                          .id = random(),
                          .born = kNow - static_cast<std::uint32_t>(random() % 4000),
                          .refreshed = kNow - static_cast<std::uint32_t>(random() % 90),
                          .epoch = random()};
    const CookieKey& key = kKeys[round % 2];
    const CookieReading reading = read(written(session, key));
    ASSERT_EQ(reading.fault, kNone);
    ASSERT_EQ(reading.session, session);
    ASSERT_EQ(reading.key_id, key.id);
  }
}

// --- faults, in order ----------------------------------------------------------------------------

TEST(SessionCookie, MalformedIsWhatIsNoText) {
  const std::string good = written(kSession);
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_EQ(read(good.substr(0, length)).fault, kMalformed) << length;
  }
  EXPECT_EQ(read(good + "A").fault, kMalformed);
  EXPECT_EQ(read(good + "=").fault, kMalformed);
  EXPECT_EQ(read(good + "==").fault, kMalformed);
  EXPECT_EQ(read(good.substr(0, 53) + "=").fault, kMalformed);
  EXPECT_EQ(read(" " + good).fault, kMalformed);
  EXPECT_EQ(read('"' + good + '"').fault, kMalformed);
  EXPECT_EQ(read(std::string(9000, 'A')).fault, kMalformed);
}

TEST(SessionCookie, EveryCharacterInEveryPlaceIsTheRightOneOrRefused) {
  const std::string good = written(kSession);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string wrong = good;
      wrong[at] = static_cast<char>(c);
      if (wrong == good) continue;
      const bool alphabet = c < 128 && (std::isalnum(c) != 0 || c == '-' || c == '_');
      const CookieFault fault = read(wrong).fault;
      ASSERT_NE(fault, kNone) << at << " " << c;
      // The last character has two bits of the tag and four to spare.
      const bool spare = at == 53 && alphabet && c != 'A' && c != 'Q' && c != 'g' && c != 'w';
      ASSERT_EQ(fault == kMalformed, !alphabet || spare) << at << " " << c;
    }
  }
}

TEST(SessionCookie, EveryBitFlippedIsRefused) {
  Bytes good(kCookieBytes);
  ASSERT_TRUE(decode_base64url(written(kSession), good));
  for (std::size_t bit = 0; bit < 8 * kCookieBytes; ++bit) {
    Bytes wrong = good;
    wrong[bit / 8] = static_cast<std::uint8_t>(wrong[bit / 8] ^ 0x80U >> bit % 8);
    std::string text(kCookieText, ' ');
    encode_base64url(wrong, text);
    const CookieReading reading = read(text);
    CookieFault expected = kBadTag;
    if (bit < 4 || bit / 8 == 31) expected = kBadVersion;
    if (bit >= 4 && bit < 7) expected = kUnknownKey;  // the eighth turns key 7 into key 6
    ASSERT_EQ(reading.fault, expected) << bit;
    ASSERT_EQ(reading.session, Session{}) << bit;
  }
}

TEST(SessionCookie, EveryOtherVersionIsUnknown) {
  Bytes bytes(kCookieBytes);
  ASSERT_TRUE(decode_base64url(written(kSession), bytes));
  for (unsigned version = 0; version < 16; ++version) {
    bytes[0] = static_cast<std::uint8_t>(version << 4U | kKey.id);
    std::string text(kCookieText, ' ');
    encode_base64url(bytes, text);
    EXPECT_EQ(read(text).fault, version == 1 ? kNone : kBadVersion) << version;
  }
}

TEST(SessionCookie, EitherKeyWillDoAndNoOther) {
  EXPECT_EQ(read(written(kSession, kKey)).fault, kNone);
  EXPECT_EQ(read(written(kSession, kOldKey)).fault, kNone);
  for (std::uint8_t id = 0; id < 16; ++id) {
    const CookieFault fault = read(written(kSession, {.id = id, .secret = {1}})).fault;
    EXPECT_EQ(fault, id == kKey.id || id == kOldKey.id ? kBadTag : kUnknownKey) << int{id};
  }
  EXPECT_EQ(read(written(kSession), kNow, kLifetime, {}).fault, kUnknownKey);
  // Two keys with one id: either of them.
  const std::array twins{CookieKey{.id = 7, .secret = kOtherSecret}, kKey};
  EXPECT_EQ(read(written(kSession), kNow, kLifetime, twins).fault, kNone);
}

TEST(SessionCookie, OfAnotherServiceIsForged) {
  for (const char* other : {"", "sho", "shops", "Shop", "pohs"}) {
    EXPECT_EQ(read(written(kSession, kKey, other)).fault, kBadTag) << other;
    EXPECT_EQ(read(written(kSession), kNow, kLifetime, kKeys, other).fault, kBadTag) << other;
  }
}

// --- time ----------------------------------------------------------------------------------------

struct TimeRow {
  const char* title;
  std::uint32_t born;
  std::uint32_t refreshed;
  CookieFault fault;
  std::uint32_t now = kNow;
  CookieLifetime lifetime = {};
};

TEST(SessionCookie, TimesAreCheckedToTheUnit) {
  constexpr std::uint32_t kSkew = limits::kCookieSkew;
  const std::vector<TimeRow> rows{
      {"just made", kNow, kNow, kNone},
      {"made within the skew", kNow + kSkew, kNow + kSkew, kNone},
      {"born beyond the skew", kNow + kSkew + 1, kNow, kFuture},
      {"refreshed beyond the skew", kNow, kNow + kSkew + 1, kFuture},
      {"born later than refreshed", kNow + kSkew, kNow - 1, kNone},
      {"idle to the last unit", kNow - 90, kNow - 90, kNone},
      {"idle one unit more", kNow - 91, kNow - 91, kIdle},
      {"as old as may be", kNow - 4320, kNow, kNone},
      {"one unit older", kNow - 4321, kNow, kTooOld},
      {"idle and too old", kNow - 4321, kNow - 91, kIdle},
      {"from the future and idle", kNow + kSkew + 1, kNow - 91, kFuture},
      {"from the future and too old", kNow - 4321, kNow + kSkew + 1, kFuture},
      {"from 1970", 0, 0, kIdle},
      {"from the end of time", UINT32_MAX, UINT32_MAX, kFuture},
      {"the first units of time", 5, 6, kNone, 0},
      {"the first and the last", 0, UINT32_MAX, kFuture, 0},
      {"the last units of time", UINT32_MAX, UINT32_MAX - 90, kNone, UINT32_MAX},
      {"the last, idle", UINT32_MAX, UINT32_MAX - 91, kIdle, UINT32_MAX},
      {"before the last within the skew", UINT32_MAX, UINT32_MAX, kNone, UINT32_MAX - kSkew},
      {"no limit to idle", kNow - 4000, 0, kNone, kNow, {.idle = UINT32_MAX}},
      {"no limit at all", 0, 0, kNone, UINT32_MAX, {UINT32_MAX, UINT32_MAX}},
      {"no time at all", kNow, kNow, kNone, kNow, {0, 0}},
      {"one unit later", kNow - 1, kNow - 1, kIdle, kNow, {0, 0}},
  };
  for (const TimeRow& row : rows) {
    Session session = kSession;
    session.born = row.born;
    session.refreshed = row.refreshed;
    const CookieReading reading = read(written(session), row.now, row.lifetime);
    EXPECT_EQ(to_string(reading.fault), to_string(row.fault)) << row.title;
    EXPECT_EQ(reading.session, session) << row.title;
    EXPECT_EQ(reading.key_id, kKey.id) << row.title;
  }
}

TEST(SessionCookie, TimeIsInUnitsOfTenSeconds) {
  EXPECT_EQ(cookie_time(1'750'000'009), 175'000'000U);
  EXPECT_EQ(cookie_time(1'750'000'010), 175'000'001U);
}

// --- words and cost ------------------------------------------------------------------------------

TEST(CookieFaults, HaveWordsAndHelp) {
  constexpr std::array<const char*, kCookieFaults> kWords{
      "none",          "malformed", "bad_version", "unknown_key", "bad_tag",
      "other_service", "future",    "idle",        "too_old",     "unknown_backend"};
  for (std::size_t i = 0; i < kCookieFaults; ++i) {
    const auto fault = static_cast<CookieFault>(i);
    EXPECT_EQ(to_string(fault), kWords[i]);
    EXPECT_GT(help_of(fault).size(), 20U);
    EXPECT_EQ(help_of(fault).back(), '.');
  }
}

TEST(SessionCookie, NothingAllocates) {
  std::array<char, kCookieText> out{};
  const std::uint64_t before = tests::allocations();
  write_cookie(kSession, kKey, "shop", out);
  const CookieReading reading =
      read_cookie({out.data(), out.size()}, kKeys, "shop", kLifetime, kNow);
  EXPECT_EQ(tests::allocations(), before);
  EXPECT_EQ(reading.fault, kNone);
}

// --- base64url -----------------------------------------------------------------------------------

TEST(Base64url, VectorsOfTheRfc) {
  // RFC 4648 section 10, without padding; the last shows the two characters of section 5.
  for (const auto& [plain, encoded] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"f", "Zg"},
                                                        {"fo", "Zm8"},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg"},
                                                        {"fooba", "Zm9vYmE"},
                                                        {"foobar", "Zm9vYmFy"},
                                                        {"\xfb\xff", "-_8"}}) {
    const Bytes bytes(plain.begin(), plain.end());
    ASSERT_EQ(base64url_length(bytes.size()), encoded.size());
    std::string text(encoded.size(), ' ');
    encode_base64url(bytes, text);
    EXPECT_EQ(text, encoded);
    Bytes decoded(bytes.size());
    EXPECT_TRUE(decode_base64url(encoded, decoded));
    EXPECT_EQ(decoded, bytes);
  }
}

TEST(Base64url, OneSequenceOfBytesHasOneText) {
  // Of all texts of two and of three characters, those without spare bits decode, and to
  // themselves.
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::size_t good = 0;
  for (const char a : alphabet) {
    for (const char b : alphabet) {
      for (const char c : alphabet + '=') {
        const std::string text{a, b, c};
        Bytes bytes(2);
        if (!decode_base64url(text, bytes)) continue;
        std::string again(3, ' ');
        encode_base64url(bytes, again);
        ASSERT_EQ(again, text);
        ++good;
      }
    }
  }
  EXPECT_EQ(good, 65536U);
}

}  // namespace
}  // namespace hawser::affinity
