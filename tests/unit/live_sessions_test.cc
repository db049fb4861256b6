// The estimate of live sessions: its error, its window, what clocks do to it.
#include "hawser/affinity/live_sessions.h"

#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"

namespace hawser::affinity {
namespace {

using Random = std::mt19937_64;
using Sketch = std::unique_ptr<LiveSessions>;

constexpr double kSigma = 0.046;  // 1.04 / sqrt(512)
constexpr std::uint32_t kNow = 180'000'000;
constexpr std::uint32_t kWindow = limits::kSessionBuckets;

double estimate(const std::vector<Sketch>& sketches, std::uint32_t now, std::uint32_t buckets) {
  std::vector<const LiveSessions*> parts;
  for (const Sketch& sketch : sketches) parts.push_back(sketch.get());
  return live_sessions(parts, now, buckets);
}
double estimate(const LiveSessions& sketch, std::uint32_t now, std::uint32_t buckets = kWindow) {
  const LiveSessions* part = &sketch;
  return live_sessions({&part, 1}, now, buckets);
}

TEST(LiveSessions, ExactlyNoneAtNone) {
  const auto sketch = std::make_unique<LiveSessions>();
  EXPECT_EQ(estimate(*sketch, kNow), 0.0);
  EXPECT_EQ(live_sessions({}, kNow, kWindow), 0.0);
}

TEST(LiveSessions, FewAreCountedNearlyExactly) {
  Random random(1);
  const auto sketch = std::make_unique<LiveSessions>();
  for (std::uint32_t n = 1; n <= 12; ++n) {
    const std::uint64_t id = random();
    for (int again = 0; again < 5; ++again) sketch->see(id, kNow);
    EXPECT_NEAR(estimate(*sketch, kNow), n, 1.0) << n;
  }
}

// Of 100 random sets of each size hardly any is off by more than three standard deviations (0.27 %
// are expected), and together they have the error that the header promises.
TEST(LiveSessions, TheErrorIsThatOfHyperLogLog) {
  constexpr int kSets = 100;
  for (const std::uint32_t size : {100U, 1000U, 10'000U, 100'000U}) {
    double squares = 0;
    double sum = 0;
    int beyond = 0;
    for (int seed = 0; seed < kSets; ++seed) {
      Random random(static_cast<std::uint64_t>(seed) * 1000 + size);
      const auto sketch = std::make_unique<LiveSessions>();
      for (std::uint32_t i = 0; i < size; ++i) sketch->see(random(), kNow);
      const double error = estimate(*sketch, kNow) / size - 1;
      squares += error * error;
      sum += error;
      if (std::abs(error) > 3 * kSigma) ++beyond;
    }
    EXPECT_LE(std::sqrt(squares / kSets), 1.25 * kSigma) << size;
    EXPECT_LE(std::abs(sum / kSets), 0.4 * kSigma) << size << ": biased";
    EXPECT_LE(beyond, 2) << size;
  }
}

// What slides must say the same as an array that was made of the window's sessions alone.
TEST(LiveSessions, SlideExactlyOverAnyHistory) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    const auto sketch = std::make_unique<LiveSessions>();
    std::map<std::uint64_t, std::uint32_t> seen;  // last, by id
    std::uint32_t now = kNow;
    for (int step = 0; step < 150; ++step) {
      now += static_cast<std::uint32_t>(random() % 12 == 0 ? random() % 300 : random() % 9);
      const std::size_t count = random() % 40;
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t id = Random(seed * 1000 + random() % 3000)();
        sketch->see(id, now);
        seen[id] = now;
      }
      const std::uint32_t later = now + static_cast<std::uint32_t>(random() % 200);
      const std::uint32_t buckets = random() % 2 == 0 ? kWindow : 17;
      const auto fresh = std::make_unique<LiveSessions>();
      for (const auto& [id, last] : seen) {
        if (later - last <= buckets) fresh->see(id, later);
      }
      ASSERT_EQ(estimate(*sketch, later, buckets), estimate(*fresh, later, buckets))
          << "seed " << seed << ", step " << step;
    }
  }
}

TEST(LiveSessions, SeenByTwoWorkersCountOnce) {
  Random random(3);
  std::vector<Sketch> workers;
  workers.push_back(std::make_unique<LiveSessions>());
  workers.push_back(std::make_unique<LiveSessions>());
  const auto alone = std::make_unique<LiveSessions>();
  for (int i = 0; i < 5000; ++i) {
    const std::uint64_t id = random();
    alone->see(id, kNow);
    if (i % 3 != 0) workers[0]->see(id, kNow);
    if (i % 3 != 1) workers[1]->see(id, kNow);
  }
  EXPECT_EQ(estimate(workers, kNow, kWindow), estimate(*alone, kNow));
}

TEST(LiveSessions, AClockThatIsSetDoesNotMislead) {
  Random random(4);
  const auto sketch = std::make_unique<LiveSessions>();
  for (int i = 0; i < 300; ++i) sketch->see(random(), kNow);
  const double before = estimate(*sketch, kNow);
  sketch->see(random(), kNow - 3);
  EXPECT_GE(estimate(*sketch, kNow - 3), before) << "a little back: it stands still";
  sketch->see(random(), kNow - 1'000'000);
  EXPECT_NEAR(estimate(*sketch, kNow - 1'000'000), 1, 0.5) << "far back: begun anew";
  sketch->see(random(), kNow + 1'000'000);
  EXPECT_NEAR(estimate(*sketch, kNow + 1'000'000), 1, 0.5) << "far on: begun anew";
  EXPECT_EQ(estimate(*sketch, kNow), 0.0) << "the reader's clock is wrong";
}

TEST(LiveSessions, AReaderJustBehindTheWorkerMissesNobody) {
  Random random(5);
  const auto sketch = std::make_unique<LiveSessions>();
  for (int i = 0; i < 300; ++i) sketch->see(random(), kNow);
  EXPECT_EQ(estimate(*sketch, kNow - 1), estimate(*sketch, kNow));
}

TEST(LiveSessions, NothingIsAllocated) {
  Random random(6);
  const auto sketch = std::make_unique<LiveSessions>();
  const std::uint64_t before = tests::allocations();
  for (std::uint32_t i = 0; i < 1000; ++i) sketch->see(random(), kNow + i);
  const double live = estimate(*sketch, kNow + 1000);
  EXPECT_EQ(tests::allocations(), before);
  EXPECT_GT(live, 0);
}

TEST(SessionWindow, HasBucketsOfTenSecondsOrOfANinetiethOfTheIdleTime) {
  EXPECT_EQ(session_window(90).units, 1U);
  EXPECT_EQ(session_window(90).buckets, 90U);
  EXPECT_EQ(session_window(6).units, 1U);
  EXPECT_EQ(session_window(6).buckets, 6U);
  EXPECT_EQ(session_window(4320).units, 48U);
  EXPECT_EQ(session_window(4320).buckets, 90U);
  for (std::uint32_t idle = 1; idle < 5000; ++idle) {
    const SessionWindow window = session_window(idle);
    ASSERT_LE(window.buckets, limits::kSessionBuckets);
    ASSERT_GE(window.buckets * window.units, idle);
    ASSERT_LT(window.buckets * window.units, idle + window.units);
  }
}

}  // namespace
}  // namespace hawser::affinity
