// Token buckets, and the buckets of many sources in bounded memory.
#include <vector>

#include <gtest/gtest.h>

#include "hawser/hash/flow_hash.h"
#include "hawser/l4/token_bucket.h"
#include "hawser/table/source_limiter.h"

namespace hawser {
namespace {

using l4::Rate;
using l4::TokenBucket;
using table::SourceLimiter;

// Events that pass at one moment, asked until one is refused.
std::uint64_t drain(TokenBucket& bucket, const Rate& rate, std::uint32_t now_ms) {
  std::uint64_t passed = 0;
  while (bucket.take(rate, now_ms)) ++passed;
  return passed;
}

TEST(TokenBucket, ZeroedItIsFullWhateverTheClockSays) {
  for (const std::uint32_t now : {0U, 1U, 1U << 31, UINT32_MAX}) {
    TokenBucket bucket;
    EXPECT_EQ(drain(bucket, {.per_second = 3, .burst = 17}, now), 17U) << now;
  }
}

TEST(TokenBucket, WithoutARateEverythingPasses) {
  TokenBucket bucket;
  for (unsigned i = 0; i < 1000; ++i) ASSERT_TRUE(bucket.take({.per_second = 0, .burst = 1}, 0));
  EXPECT_EQ(bucket.missing(1, 0), 0U) << "what no rate counts must not count later";
}

// Over 1000 s at 3 a second: the burst, and 3000.
TEST(TokenBucket, PassesExactlyBurstAndRateHoweverOftenItIsAsked) {
  constexpr std::uint32_t kTime = 1'000'000;
  const Rate rate{.per_second = 3, .burst = 5};
  for (const std::uint32_t start : {0U, UINT32_MAX - 500'000U}) {
    for (const std::uint32_t step : {1U, 2U, 7U, 100U, 333U, 334U, 500U, 1000U, 1300U}) {
      TokenBucket bucket;
      std::uint64_t passed = 0;
      for (std::uint32_t t = 0; t <= kTime; t += step) passed += drain(bucket, rate, start + t);
      // What came back since the last whole event, and since the last time asked.
      EXPECT_LE(passed, 3005U) << "every " << step << " ms";
      EXPECT_GE(passed, 3005U - 5U) << "every " << step << " ms";
    }
  }
  TokenBucket bucket;
  std::uint64_t passed = 0;
  std::uint32_t t = 0;
  for (std::uint64_t i = 0; t < kTime; ++i) {
    passed += drain(bucket, rate, t);
    t += static_cast<std::uint32_t>(hash::mix(i) % 400);
  }
  EXPECT_LE(passed, 3005U);
  EXPECT_GE(passed, 3000U);
}

// Asked a thousand times too early, it still has the next event ready on time.
TEST(TokenBucket, KeepsFractionsOverRefusals) {
  const Rate rate{.per_second = 1, .burst = 1};
  TokenBucket bucket;
  ASSERT_TRUE(bucket.take(rate, 0));
  for (std::uint32_t t = 1; t < 1000; ++t) ASSERT_FALSE(bucket.take(rate, t)) << t;
  EXPECT_TRUE(bucket.take(rate, 1000));
  EXPECT_FALSE(bucket.take(rate, 1000));
}

TEST(TokenBucket, NeverHoldsMoreThanItsBurst) {
  const Rate rate{.per_second = 1000, .burst = 10};
  TokenBucket bucket;
  EXPECT_EQ(drain(bucket, rate, 0), 10U);
  EXPECT_EQ(drain(bucket, rate, 3'000'000'000U), 10U);
  EXPECT_EQ(drain(bucket, rate, 3'000'000'004U), 4U);
}

TEST(TokenBucket, TheClockMayWrapBetweenTwoEvents) {
  const Rate rate{.per_second = 10, .burst = 10};
  TokenBucket bucket;
  EXPECT_EQ(drain(bucket, rate, UINT32_MAX - 99), 10U);
  EXPECT_EQ(drain(bucket, rate, 99), 1U) << "199 ms are one event and 99 hundredths";
  EXPECT_EQ(drain(bucket, rate, 100), 1U);
}

TEST(TokenBucket, TheLargestRateAndBurstDoNotOverflow) {
  const Rate rate{.per_second = UINT32_MAX, .burst = UINT32_MAX};
  TokenBucket bucket;
  EXPECT_EQ(drain(bucket, rate, 0), limits::kMaxRateBurst);
  EXPECT_EQ(drain(bucket, rate, 1), limits::kMaxRateBurst) << "a millisecond fills it";
  TokenBucket slow;
  EXPECT_EQ(drain(slow, {.per_second = 1, .burst = UINT32_MAX}, 0), limits::kMaxRateBurst);
  EXPECT_EQ(drain(slow, {.per_second = 1, .burst = UINT32_MAX}, UINT32_MAX), 4'294'967U);
}

TEST(TokenBucket, ABurstOfNoneCountsAsOne) {
  TokenBucket bucket;
  EXPECT_EQ(drain(bucket, {.per_second = 2, .burst = 0}, 0), 1U);
  EXPECT_EQ(drain(bucket, {.per_second = 2, .burst = 0}, 499), 0U);
  EXPECT_EQ(drain(bucket, {.per_second = 2, .burst = 0}, 500), 1U);
}

TEST(TokenBucket, ASmallerBurstForgivesWhatItCouldNotHaveSpent) {
  TokenBucket bucket;
  EXPECT_EQ(drain(bucket, {.per_second = 1, .burst = 1000}, 0), 1000U);
  EXPECT_FALSE(bucket.take({.per_second = 1, .burst = 2}, 0));
  EXPECT_EQ(drain(bucket, {.per_second = 1, .burst = 2}, 2000), 2U);
}

std::uint64_t drain(SourceLimiter& limiter, std::uint64_t key, const Rate& rate,
                    std::uint32_t now_ms) {
  std::uint64_t passed = 0;
  while (limiter.take(key, rate, now_ms)) ++passed;
  return passed;
}

constexpr std::uint64_t in_set(std::uint64_t name, std::uint64_t set = 0) {
  return name << 32 | set;
}

TEST(SourceLimiter, EachSourceHasABucketOfItsOwn) {
  std::vector<SourceLimiter::Set> memory(1024);
  SourceLimiter limiter(memory);
  const Rate rate{.per_second = 10, .burst = 7};
  for (std::uint64_t source = 1; source <= 300; ++source) {
    ASSERT_EQ(drain(limiter, hash::mix(source), rate, 5), 7U) << source;
  }
  for (std::uint64_t source = 1; source <= 300; ++source) {
    ASSERT_EQ(drain(limiter, hash::mix(source), rate, 205), 2U) << source;
  }
}

TEST(SourceLimiter, WithoutARateEverythingPassesAndNothingIsRemembered) {
  std::vector<SourceLimiter::Set> memory(1);
  SourceLimiter limiter(memory);
  for (unsigned i = 0; i < 1000; ++i) ASSERT_TRUE(limiter.take(in_set(9), {}, 0));
  EXPECT_EQ(memory[0].entries[0].name, 0U);
}

TEST(SourceLimiter, TheEntryNearestToAFullBucketGivesWay) {
  std::vector<SourceLimiter::Set> memory(1);
  SourceLimiter limiter(memory);
  const Rate slow{.per_second = 1, .burst = 8};
  const Rate fast{.per_second = 100, .burst = 8};
  EXPECT_EQ(drain(limiter, in_set(1), slow, 0), 8U);                          // full in 8 s
  EXPECT_EQ(drain(limiter, in_set(2), fast, 0), 8U);                          // full in 80 ms
  EXPECT_TRUE(limiter.take(in_set(3), slow, 0));                              // full in 1 s
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(limiter.take(in_set(4), slow, 0));  // full in 2 s
  EXPECT_TRUE(limiter.take(in_set(5), slow, 0)) << "in place of 2";
  EXPECT_EQ(drain(limiter, in_set(1), slow, 0), 0U);
  EXPECT_EQ(drain(limiter, in_set(3), slow, 0), 7U);
  EXPECT_EQ(drain(limiter, in_set(4), slow, 0), 6U);
  EXPECT_EQ(drain(limiter, in_set(5), slow, 0), 7U);
}

TEST(SourceLimiter, AnUnusedEntryIsTakenBeforeAnyOther) {
  std::vector<SourceLimiter::Set> memory(1);
  SourceLimiter limiter(memory);
  const Rate rate{.per_second = 1, .burst = 3};
  for (std::uint64_t source = 1; source <= 4; ++source) {
    EXPECT_EQ(drain(limiter, in_set(source), rate, 0), 3U) << source;
  }
  for (std::uint64_t source = 1; source <= 4; ++source) {
    EXPECT_FALSE(limiter.take(in_set(source), rate, 0)) << source;
  }
}

TEST(SourceLimiter, AnExhaustedSourceIsNotPushedOutByFreshOnes) {
  std::vector<SourceLimiter::Set> memory(16);
  SourceLimiter limiter(memory);
  const Rate rate{.per_second = 2, .burst = 20};
  const std::uint64_t exhausted = hash::mix(1);
  EXPECT_EQ(drain(limiter, exhausted, rate, 0), 20U);
  std::uint64_t passed = 0;
  for (std::uint64_t n = 0; n < 1'000'000; ++n) {
    const auto now = static_cast<std::uint32_t>(n / 100);  // 10 s
    const bool fresh = limiter.take(hash::mix(n + 100), rate, now);
    ASSERT_TRUE(fresh) << "a new source starts with a full bucket";
    if (n % 100 == 0) passed += limiter.take(exhausted, rate, now) ? 1U : 0U;
  }
  EXPECT_EQ(passed, 19U) << "2 a second, the last one at the end of 10 s";
}

// What the header promises: at a tenth of entries * rate, next to nothing is forgotten.
TEST(SourceLimiter, IsExactWhileTheSourcesThatWaitFit) {
  std::vector<SourceLimiter::Set> memory(1024);
  SourceLimiter limiter(memory);
  const Rate rate{.per_second = 1, .burst = 1};
  constexpr std::uint64_t kASecond = 1024 * SourceLimiter::kPerSet / 10;
  std::uint64_t twice = 0;
  constexpr std::uint64_t kSources = kASecond * 200;
  for (std::uint64_t n = 0; n < kSources; ++n) {
    const auto now = static_cast<std::uint32_t>(n * 1000 / kASecond);
    ASSERT_TRUE(limiter.take(hash::mix(n + 1), rate, now));
    // 900 ms later the same source asks again: too early, unless it was forgotten.
    const std::uint64_t ago = kASecond * 9 / 10;
    if (n >= ago && limiter.take(hash::mix(n + 1 - ago), rate, now)) ++twice;
  }
  EXPECT_LT(twice * 1000, kSources * 3) << "some two in a thousand";
}

TEST(SourceLimiter, ServicesWithDifferentRatesShareTheMemory) {
  std::vector<SourceLimiter::Set> memory(1);
  SourceLimiter limiter(memory);
  const Rate low{.per_second = 1, .burst = 1};
  const Rate high{.per_second = 1000, .burst = 100};
  EXPECT_EQ(drain(limiter, in_set(1), low, 0), 1U);
  EXPECT_EQ(drain(limiter, in_set(2), high, 0), 100U);
  EXPECT_EQ(drain(limiter, in_set(1), low, 50), 0U);
  EXPECT_EQ(drain(limiter, in_set(2), high, 50), 50U);
}

TEST(SourceLimiterDeathTest, RefusesMemoryThatIsNoPowerOfTwo) {
  std::vector<SourceLimiter::Set> memory(3);
  EXPECT_DEATH(SourceLimiter{memory}, "contract broken");
}

}  // namespace
}  // namespace hawser
