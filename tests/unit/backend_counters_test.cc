// What is kept of backends: counters, times, the clock of handshakes.
#include "hawser/stats/backend_counters.h"

#include <memory>

#include <gtest/gtest.h>

#include "hawser/pipeline/handshake_clock.h"

namespace hawser {
namespace {

using pipeline::HandshakeClock;
using stats::BackendCounters;
using stats::BackendTimes;

TEST(BackendCounters, AreEmptyAgainForTheNextBackendOfAnId) {
  BackendCounters counters;
  const std::array all = {&counters.flows,      &counters.ended,    &counters.new_flows,
                          &counters.packets_in, &counters.bytes_in, &counters.packets_out,
                          &counters.bytes_out,  &counters.refused,  &counters.timed_out,
                          &counters.reset,      &counters.aborted,  &counters.server_errors,
                          &counters.requests};
  for (stats::Counter* counter : all) counter->add(3);
  counters.clear();
  for (const stats::Counter* counter : all) EXPECT_EQ(counter->read(), 0U);
}

TEST(BackendTimes, AreEmptyAgainForTheNextBackendOfAnId) {
  const auto times = std::make_unique<BackendTimes>();
  times->handshake.add(100);
  times->response.add(100);
  times->clear();
  for (std::size_t b = 0; b < stats::Histogram::kBuckets; ++b) {
    EXPECT_EQ(times->handshake.count(b), 0U);
    EXPECT_EQ(times->response.count(b), 0U);
  }
}

TEST(HandshakeClock, TellsTheTimeOnce) {
  const auto clock = std::make_unique<HandshakeClock>();
  EXPECT_FALSE(clock->stop(0, 10).has_value()) << "nobody has started";
  clock->start(0, 10);
  EXPECT_EQ(clock->stop(0, 260), 250U);
  EXPECT_FALSE(clock->stop(0, 270).has_value()) << "a SYN-ACK that comes again";
}

TEST(HandshakeClock, HeedsThatMicrosecondsWrap) {
  const auto clock = std::make_unique<HandshakeClock>();
  clock->start(7, UINT32_MAX - 9);
  EXPECT_EQ(clock->stop(7, 30), 40U);
}

TEST(HandshakeClock, ForgetsWhosePlaceAnotherTook) {
  const auto clock = std::make_unique<HandshakeClock>();
  clock->start(5, 0);
  clock->start(5 + limits::kTimedHandshakes, 100);
  EXPECT_FALSE(clock->stop(5, 200).has_value());
  EXPECT_EQ(clock->stop(5 + limits::kTimedHandshakes, 200), 100U);
}

}  // namespace
}  // namespace hawser
