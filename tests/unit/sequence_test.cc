// Sequence numbers: order and distance across the wrap, against 64-bit arithmetic.
#include "hawser/l4/sequence.h"

#include <random>

#include <gtest/gtest.h>

namespace hawser::l4 {
namespace {

TEST(Sequence, OrderAndDistanceHoldAcrossTheWrap) {
  const Sequence before{0xfffffff0};
  const Sequence after = before + 0x20;
  EXPECT_EQ(after, Sequence{0x10});
  EXPECT_EQ(after - before, 0x20U);
  EXPECT_EQ(after - 0x20U, before);
  EXPECT_TRUE(before < after && before <= after && after > before && after >= before);
  EXPECT_FALSE(after < before || after <= before || before > after || before >= after);
}

TEST(Sequence, EqualNumbersAreNeitherLessNorGreater) {
  const Sequence a{0x80000000};
  EXPECT_TRUE(a == a && a <= a && a >= a);
  EXPECT_FALSE(a < a || a > a || a != a);
}

TEST(Sequence, TheLargestStepsAreHalfTheRange) {
  for (const std::uint32_t start : {0U, 1U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
    const Sequence a{start};
    EXPECT_TRUE(a < a + 0x7fffffffU && a > a - 0x7fffffffU);
    EXPECT_FALSE(a > a + 0x7fffffffU || a < a - 0x7fffffffU);
    // Exactly half the range away nothing can be told; both are less, as the header says.
    EXPECT_TRUE(a < a + 0x80000000U && a + 0x80000000U < a);
  }
}

TEST(Sequence, AgreesWithNumbersThatDoNotWrap) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 100'000; ++round) {
    const std::uint64_t long_a = random() >> 20;
    const std::int64_t step = static_cast<std::int64_t>(random() % 0xffffffffU) - 0x7fffffff;
    const std::uint64_t long_b = long_a + static_cast<std::uint64_t>(step);
    const Sequence a{static_cast<std::uint32_t>(long_a)};
    const Sequence b{static_cast<std::uint32_t>(long_b)};
    ASSERT_EQ(a < b, 0 < step) << long_a << ' ' << step;
    ASSERT_EQ(a <= b, 0 <= step) << long_a << ' ' << step;
    ASSERT_EQ(a > b, 0 > step) << long_a << ' ' << step;
    ASSERT_EQ(a >= b, 0 >= step) << long_a << ' ' << step;
    ASSERT_EQ(a + (b - a), b);
  }
}

TEST(Sequence, MovesInPlace) {
  Sequence moved{5};
  moved -= 10;
  EXPECT_EQ(moved.value, 0xfffffffbU);
  moved += 10;
  EXPECT_EQ(moved.value, 5U);
}

}  // namespace
}  // namespace hawser::l4
