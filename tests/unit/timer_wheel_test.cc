// The timer wheel: what fires and when, alone and against a naive model across the clock's wrap.
#include "hawser/table/timer_wheel.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "../support/allocations.h"

namespace hawser::table {
namespace {

using Index = TimerWheel::Index;

constexpr std::uint32_t kAll = 1U << 30;

std::vector<Index> expired(TimerWheel& wheel, std::uint32_t now, std::uint32_t most = kAll) {
  std::vector<Index> seen;
  const std::uint32_t count = wheel.expire(now, most, [&](Index index) {
    EXPECT_FALSE(wheel.is_armed(index));
    seen.push_back(index);
  });
  EXPECT_EQ(count, seen.size());
  return seen;
}

using Indexes = std::vector<Index>;

TEST(TimerWheel, FiresOnTheTickNeverEarly) {
  TimerWheel wheel(4, 8, 10, 1000);
  wheel.arm(0, 1011);
  wheel.arm(1, 1020);
  wheel.arm(2, 1021);
  EXPECT_EQ(wheel.armed(), 3U);
  EXPECT_EQ(expired(wheel, 1019), Indexes{});
  EXPECT_EQ(expired(wheel, 1020), (Indexes{0, 1}));
  EXPECT_EQ(expired(wheel, 1029), Indexes{});
  EXPECT_EQ(expired(wheel, 1030), Indexes{2});
  EXPECT_EQ(wheel.armed(), 0U);
}

TEST(TimerWheel, ArmingAgainMovesAndCancellingEnds) {
  TimerWheel wheel(2, 8, 1, 0);
  wheel.arm(0, 3);
  wheel.arm(0, 6);
  EXPECT_EQ(wheel.due_ms(0), 6U);
  EXPECT_EQ(wheel.armed(), 1U);
  wheel.arm(1, 4);
  wheel.cancel(1);
  wheel.cancel(1);
  EXPECT_FALSE(wheel.is_armed(1));
  EXPECT_EQ(expired(wheel, 5), Indexes{});
  EXPECT_EQ(expired(wheel, 6), Indexes{0});
}

TEST(TimerWheel, DelaysBeyondItsSpanTakeRounds) {
  TimerWheel wheel(3, 4, 10, 0);
  wheel.arm(0, 10);
  wheel.arm(1, 50);
  wheel.arm(2, 410);
  EXPECT_EQ(expired(wheel, 40), Indexes{0});
  EXPECT_EQ(expired(wheel, 50), Indexes{1});
  for (std::uint32_t now = 51; now < 410; ++now) ASSERT_EQ(expired(wheel, now), Indexes{}) << now;
  EXPECT_EQ(expired(wheel, 410), Indexes{2});
}

TEST(TimerWheel, ALongPauseLosesNothing) {
  TimerWheel wheel(4, 4, 10, 0);
  wheel.arm(0, 10);
  wheel.arm(1, 70);
  wheel.arm(2, 999'990);
  wheel.arm(3, 1'000'001);
  Indexes seen = expired(wheel, 1'000'000);
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (Indexes{0, 1, 2}));
  EXPECT_EQ(expired(wheel, 1'000'009), Indexes{});
  EXPECT_EQ(expired(wheel, 1'000'010), Indexes{3});
}

TEST(TimerWheel, HalfTheClocksRangeIsTheLongestDelay) {
  TimerWheel wheel(1, 256, 100, 0xfffff000);
  const std::uint32_t longest = 0xfffff000 + 0x7fffffff;
  wheel.arm(0, longest);
  EXPECT_EQ(expired(wheel, 0x3fffffff), Indexes{});
  EXPECT_EQ(expired(wheel, longest - 1), Indexes{});
  EXPECT_EQ(expired(wheel, longest + 100), Indexes{0});
}

TEST(TimerWheel, StopsAfterSoManyAndGoesOnThere) {
  TimerWheel wheel(10, 8, 1, 0);
  for (Index i = 0; i < 10; ++i) wheel.arm(i, i < 5 ? 1 : 2);
  EXPECT_EQ(expired(wheel, 2, 0), Indexes{});
  EXPECT_EQ(expired(wheel, 2, 3), (Indexes{0, 1, 2}));
  wheel.cancel(3);
  EXPECT_EQ(expired(wheel, 2, 3), (Indexes{4, 5, 6}));
  EXPECT_EQ(expired(wheel, 2, 3), (Indexes{7, 8, 9}));
  EXPECT_EQ(expired(wheel, 2, 3), Indexes{});
}

TEST(TimerWheel, WhatItPassedOverBeforeALongPauseIsFoundAfterIt) {
  // Entry 0 is passed over in slot 1, then the look through that slot stops at entry 2.
  TimerWheel wheel(3, 4, 1, 0);
  wheel.arm(0, 5);
  wheel.arm(1, 1);
  wheel.arm(2, 1);
  EXPECT_EQ(expired(wheel, 1, 1), Indexes{1});
  Indexes seen = expired(wheel, 8);
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (Indexes{0, 2}));
}

TEST(TimerWheel, AVisitMayArmItsEntryAgainForNow) {
  TimerWheel wheel(2, 4, 10, 0);
  wheel.arm(0, 10);
  wheel.arm(1, 10);
  std::vector<Index> seen;
  const auto again = [&](Index index) {
    seen.push_back(index);
    wheel.arm(index, 25);
  };
  EXPECT_EQ(wheel.expire(25, kAll, again), 2U) << "each once, however late it is";
  EXPECT_EQ(wheel.expire(29, kAll, again), 0U);
  EXPECT_EQ(wheel.expire(30, kAll, again), 2U);
  EXPECT_EQ(seen, (Indexes{0, 1, 0, 1}));
  EXPECT_EQ(wheel.armed(), 2U);
}

TEST(TimerWheel, AVisitMayCancelTheNext) {
  TimerWheel wheel(3, 4, 10, 0);
  for (Index i = 0; i < 3; ++i) wheel.arm(i, 10);
  std::vector<Index> seen;
  wheel.expire(10, kAll, [&](Index index) {
    seen.push_back(index);
    wheel.cancel(1);
  });
  EXPECT_EQ(seen, (Indexes{0, 2}));
}

TEST(TimerWheel, NothingIsAllocatedAfterConstruction) {
  TimerWheel wheel(1000, 64, 1, 0);
  const std::uint64_t before = tests::allocations();
  std::uint32_t fired = 0;
  for (std::uint32_t now = 0; now < 1000; ++now) {
    wheel.arm(now, now + now % 300);
    if (now % 7 == 0) wheel.cancel(now / 2);
    fired += wheel.expire(now, 3, [](Index) {});
  }
  EXPECT_EQ(tests::allocations(), before);
  EXPECT_GT(fired, 500U);
}

// --- against a multimap --------------------------------------------------------------------------

struct Shape {
  Index entries;
  std::uint32_t slots;
  std::uint32_t tick;
  std::uint32_t longest_delay;
  std::uint32_t longest_step;
};

// The wheel and what it should do, kept by the tick at which an entry fires. Its clock has 64 bits;
// the wheel gets the lower 32.
class Modelled {
 public:
  Modelled(const Shape& shape, std::uint64_t start, unsigned seed)
      : shape_(shape),
        start_(start),
        now_(start),
        reached_(start),
        random_(seed),
        wheel_(shape.entries, shape.slots, shape.tick, static_cast<std::uint32_t>(start)) {}

  void step() {
    const auto dice = random_() % 8;
    if (dice < 5) {
      arm_one();
    } else if (dice == 5) {
      cancel(any());
    } else {
      now_ += random_() % (shape_.longest_step + 1);
      expire(random_() % 3 == 0 ? static_cast<std::uint32_t>(random_() % 6) : kAll);
    }
    ASSERT_EQ(wheel_.armed(), model_.size());
  }

  [[nodiscard]] std::uint64_t now() const { return now_; }
  [[nodiscard]] std::uint64_t fired() const { return fired_; }

 private:
  using Model = std::multimap<std::uint64_t, Index>;

  Index any() { return static_cast<Index>(random_() % shape_.entries); }

  Model::iterator find(Index index) {
    return std::find_if(model_.begin(), model_.end(),
                        [&](const auto& pair) { return pair.second == index; });
  }

  void forget(Index index) {
    const auto at = find(index);
    if (at != model_.end()) model_.erase(at);
  }

  void arm_one() {
    // Now and then a time that has passed, or this very moment.
    const std::uint64_t delay = random_() % 10 == 0 ? 0 : random_() % shape_.longest_delay;
    const std::uint64_t early = random_() % 10 == 0 ? random_() % 1000 : 0;
    const Index index = any();
    forget(index);
    const std::uint64_t due = now_ + delay - early;
    wheel_.arm(index, static_cast<std::uint32_t>(due));
    const std::uint64_t counts = std::max(due, reached_ + 1) - start_;
    const std::uint64_t ticks = (counts + shape_.tick - 1) / shape_.tick;
    model_.emplace(start_ + ticks * shape_.tick, index);
  }

  void cancel(Index index) {
    ASSERT_EQ(wheel_.is_armed(index), find(index) != model_.end());
    forget(index);
    wheel_.cancel(index);
  }

  void expire(std::uint32_t most) {
    reached_ = start_ + (now_ - start_) / shape_.tick * shape_.tick;
    std::uint32_t visits = 0;
    const auto visit = [&](Index index) {
      ++visits;
      const auto at = find(index);
      ASSERT_NE(at, model_.end()) << "not armed, or twice";
      ASSERT_LE(at->first, now_) << "early";
      model_.erase(at);
      if (random_() % 4 == 0) arm_one();
      if (random_() % 8 == 0) cancel(any());
    };
    ASSERT_EQ(wheel_.expire(static_cast<std::uint32_t>(now_), most, visit), visits);
    ASSERT_LE(visits, most);
    fired_ += visits;
    if (visits < most) {
      ASSERT_TRUE(model_.empty() || model_.begin()->first > now_) << "one was left out";
    }
  }

  Shape shape_;
  std::uint64_t start_;
  std::uint64_t now_;
  std::uint64_t reached_;
  std::mt19937 random_;
  TimerWheel wheel_;
  Model model_;
  std::uint64_t fired_ = 0;
};

TEST(TimerWheel, AgreesWithAMultimap) {
  constexpr std::uint64_t kWrap = 1ULL << 48;  // a multiple of 2^32, with room before it
  const Shape shapes[] = {
      {.entries = 50, .slots = 16, .tick = 1, .longest_delay = 100, .longest_step = 20},
      {.entries = 200, .slots = 64, .tick = 10, .longest_delay = 640, .longest_step = 30},
      {.entries = 20, .slots = 1, .tick = 7, .longest_delay = 90, .longest_step = 40},
      {.entries = 40, .slots = 8, .tick = 3, .longest_delay = 2000, .longest_step = 200},
      {.entries = 1, .slots = 4, .tick = 5, .longest_delay = 100, .longest_step = 30},
      {.entries = 60,
       .slots = 32,
       .tick = 100,
       .longest_delay = 1U << 30,
       .longest_step = 1U << 26},
  };
  unsigned seed = 1;
  for (const Shape& shape : shapes) {
    // Begun so that the 32-bit clock wraps half way.
    const std::uint64_t start = kWrap - std::uint64_t{shape.longest_step} * 2500;
    Modelled both(shape, start, seed++);
    for (int i = 0; i < 40'000; ++i) {
      both.step();
      if (HasFatalFailure()) FAIL() << "shape " << seed - 1 << ", step " << i;
    }
    EXPECT_GT(both.now(), kWrap) << "the clock did not wrap";
    EXPECT_GT(both.fired(), 1000U);
  }
}

}  // namespace
}  // namespace hawser::table
