// The log of events: numbered, bounded, and somebody may wait for the next.
#include "event_log.h"

#include <thread>

#include <gtest/gtest.h>

#include "hawser/base/limits.h"

namespace hawser::control {
namespace {

using std::chrono::milliseconds;

FleetEvent event(std::string text) {
  FleetEvent event;
  event.text = std::move(text);
  return event;
}

TEST(EventLog, NumbersRiseByOneAndMomentsAreNow) {
  EventLog log;
  EXPECT_EQ(log.newest(), 0U);
  EXPECT_TRUE(log.after(0, 10, milliseconds(0)).empty());
  log.add(event("one"));
  FleetEvent old = event("two");
  old.at_unix_ms = 7;
  log.add(old);
  const std::vector<FleetEvent> found = log.after(0, 10, milliseconds(0));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].sequence, 1U);
  EXPECT_EQ(found[1].sequence, 2U);
  EXPECT_GT(found[0].at_unix_ms, 1'700'000'000'000U);
  EXPECT_EQ(found[1].at_unix_ms, 7U);
  EXPECT_EQ(log.newest(), 2U);
}

TEST(EventLog, OnlyWhatCameLaterUpToALimit) {
  EventLog log;
  for (int i = 1; i <= 9; ++i) log.add(event(std::to_string(i)));
  const std::vector<FleetEvent> found = log.after(4, 3, milliseconds(0));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found.front().text, "5");
  EXPECT_EQ(found.back().text, "7");
  EXPECT_TRUE(log.after(9, 3, milliseconds(0)).empty());
}

TEST(EventLog, TheOldestAreForgotten) {
  EventLog log;
  for (std::size_t i = 0; i < limits::kMaxEvents + 5; ++i) log.add(event(std::to_string(i + 1)));
  const std::vector<FleetEvent> found = log.after(2, 2, milliseconds(0));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found.front().sequence, 6U);
  EXPECT_EQ(found.front().text, "6");
}

TEST(EventLog, WhoWaitsIsWokenByTheNextOneAndByTheEnd) {
  EventLog log;
  std::thread writer([&] {
    std::this_thread::sleep_for(milliseconds(30));
    log.add(event("late"));
  });
  EXPECT_EQ(log.after(0, 1, milliseconds(20'000)).size(), 1U);
  writer.join();
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(30));
    log.stop();
  });
  EXPECT_TRUE(log.after(1, 1, milliseconds(20'000)).empty());
  stopper.join();
  EXPECT_TRUE(log.is_stopped());
}

TEST(EventLog, EveryKindAndSeverityHasAWord) {
  EXPECT_EQ(to_string(EventKind::kState), "state");
  EXPECT_EQ(to_string(EventKind::kSnapshot), "snapshot");
  EXPECT_EQ(to_string(EventSeverity::kInfo), "info");
  EXPECT_EQ(to_string(EventSeverity::kCritical), "critical");
}

}  // namespace
}  // namespace hawser::control
