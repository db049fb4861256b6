// A service over time: slow start, drains with a deadline, ejections, panic, guards.
#include "service_state.h"

#include <gtest/gtest.h>

namespace hawser::control {
namespace {

constexpr std::uint64_t kStart = 1'000'000;

model::Service service_of(std::size_t backends, std::uint32_t weight = 100) {
  model::Service service;
  service.name = "web";
  for (std::size_t i = 0; i < backends; ++i) {
    model::Backend backend;
    backend.name = "b" + std::to_string(i + 1);
    backend.weight = weight;
    service.backends.push_back(backend);
  }
  return service;
}

// A service whose backends are all up.
struct Fleet {
  explicit Fleet(const model::Service& service)
      : state(std::make_shared<const model::Service>(service)) {
    for (std::size_t i = 0; i < service.backends.size(); ++i) state.edit(i).health = Health::kUp;
    state.settle_first(kStart);
  }
  void health(std::size_t index, Health health, std::uint64_t now) {
    state.edit(index).health = health;
    state.settle(now, transitions);
  }
  void mode(std::size_t index, Mode mode, std::uint64_t now, const Terms& terms = {}) {
    state.edit(index).mode = mode;
    state.edit(index).terms = terms;
    state.edit(index).mode_by.since_unix = now;
    state.settle(now, transitions);
  }
  [[nodiscard]] const model::Backend& told(std::size_t index) const {
    return state.in_force()->backends[index];
  }

  ServiceState state;
  std::vector<Transition> transitions;
};

TEST(ServiceState, ProcessStartIsNoAdmission) {
  model::Service service = service_of(2);
  service.availability.slow_start_seconds = 20;
  const Fleet fleet(service);
  EXPECT_EQ(fleet.told(0).weight, 100U);
  EXPECT_EQ(fleet.state.judgement(0).state, State::kReady);
}

TEST(ServiceState, SlowStartGrowsTheWeightStepByStepToTheWhole) {
  model::Service service = service_of(2);
  service.availability.slow_start_seconds = 20;
  Fleet fleet(service);
  fleet.health(0, Health::kDown, kStart + 5);
  fleet.health(0, Health::kUp, kStart + 10);
  EXPECT_EQ(fleet.state.judgement(0).state, State::kStarting);
  EXPECT_EQ(fleet.told(0).admission, model::Admission::kServing);
  // The weights fit ten times into the largest; the twentieth part of one is 50 of 1000.
  EXPECT_EQ(fleet.told(0).weight, 50U);
  EXPECT_EQ(fleet.told(1).weight, 1000U);
  std::uint32_t last = 50;
  for (std::uint64_t second = 1; second < 19; ++second) {
    fleet.state.settle(kStart + 10 + second, fleet.transitions);
    EXPECT_GE(fleet.told(0).weight, last);
    last = fleet.told(0).weight;
  }
  EXPECT_EQ(last, 950U);
  fleet.state.settle(kStart + 30, fleet.transitions);
  EXPECT_EQ(fleet.state.judgement(0).state, State::kReady);
  EXPECT_EQ(fleet.told(0).weight, 100U);
  EXPECT_EQ(fleet.told(1).weight, 100U);
  EXPECT_FALSE(fleet.state.is_timed());
  std::vector<std::string> states;
  for (const Transition& transition : fleet.transitions) states.push_back(transition.after);
  EXPECT_EQ(states, (std::vector<std::string>{"down", "starting", "ready"}));
}

TEST(ServiceState, EveryAdmissionStartsSlowly) {
  model::Service service = service_of(3);
  service.availability.slow_start_seconds = 10;
  Fleet fleet(service);
  fleet.mode(0, Mode::kDrain, kStart + 1);
  fleet.mode(0, Mode::kReady, kStart + 2);
  EXPECT_EQ(fleet.state.judgement(0).cause, Cause::kSlowStart);
  fleet.mode(1, Mode::kMaintenance, kStart + 3);
  fleet.mode(1, Mode::kReady, kStart + 4);
  EXPECT_EQ(fleet.state.judgement(1).cause, Cause::kSlowStart);
  fleet.state.edit(2).ejected_until_unix = kStart + 6;
  fleet.state.settle(kStart + 5, fleet.transitions);
  EXPECT_EQ(fleet.state.judgement(2).cause, Cause::kEjected);
  fleet.state.settle(kStart + 6, fleet.transitions);
  EXPECT_EQ(fleet.state.judgement(2).cause, Cause::kSlowStart);
}

TEST(ServiceState, AgentsPartOfTheWeightKeepsTheOthersProportions) {
  model::Service service = service_of(3, 1);
  Fleet fleet(service);
  fleet.state.edit(1).agent_percent = 50;
  fleet.state.settle(kStart + 1, fleet.transitions);
  EXPECT_EQ(fleet.told(0).weight, 1000U);
  EXPECT_EQ(fleet.told(1).weight, 500U);
  EXPECT_EQ(fleet.told(2).weight, 1000U);
}

TEST(ServiceState, ADrainWithADeadlineLetsSessionsGoEvenlyAndFlowsAtTheEnd) {
  Fleet fleet(service_of(2));
  fleet.mode(0, Mode::kDrain, kStart, {.until_unix = kStart + 64, .jitter_seconds = 16});
  EXPECT_EQ(fleet.told(0).departure, (model::Departure{0, 0}));
  std::uint16_t last = 0;
  for (std::uint64_t second = 1; second <= 64; ++second) {
    fleet.state.settle(kStart + second, fleet.transitions);
    const auto expected = static_cast<std::uint16_t>(second * limits::kSlices / 64);
    EXPECT_EQ(fleet.told(0).departure.sessions, expected);
    EXPECT_EQ(fleet.told(0).departure.flows, 0U);
    EXPECT_GT(fleet.told(0).departure.sessions, last);
    last = fleet.told(0).departure.sessions;
  }
  fleet.state.settle(kStart + 72, fleet.transitions);
  EXPECT_EQ(fleet.told(0).departure, (model::Departure{limits::kSlices, limits::kSlices / 2}));
  fleet.state.settle(kStart + 80, fleet.transitions);
  EXPECT_EQ(fleet.told(0).departure, (model::Departure{limits::kSlices, limits::kSlices}));
  EXPECT_EQ(fleet.state.judgement(0).state, State::kDraining);
  fleet.mode(0, Mode::kReady, kStart + 90);
  EXPECT_EQ(fleet.told(0).departure, model::Departure{});
}

TEST(ServiceState, FlowsMayBeKeptPastTheDeadline) {
  Fleet fleet(service_of(2));
  fleet.mode(0, Mode::kDrain, kStart,
             {.until_unix = kStart + 10, .jitter_seconds = 5, .keep_flows = true});
  fleet.state.settle(kStart + 1000, fleet.transitions);
  EXPECT_EQ(fleet.told(0).departure, (model::Departure{limits::kSlices, 0}));
}

TEST(ServiceState, PanicIsWhenEverybodyWhoShouldServeIsUnwell) {
  Fleet fleet(service_of(3));
  fleet.mode(0, Mode::kDrain, kStart);
  fleet.health(1, Health::kDown, kStart + 1);
  EXPECT_EQ(fleet.state.panic_since(), 0U);
  fleet.health(2, Health::kDown, kStart + 2);
  EXPECT_EQ(fleet.state.panic_since(), kStart + 2);
  EXPECT_EQ(fleet.told(1).admission, model::Admission::kDown);
  fleet.health(2, Health::kUp, kStart + 3);
  EXPECT_EQ(fleet.state.panic_since(), 0U);
  ASSERT_EQ(fleet.transitions.size(), 6U);
  EXPECT_EQ(fleet.transitions[3].after, "panic");
  EXPECT_EQ(fleet.transitions[5].before, "panic");
}

TEST(ServiceState, OperatorsTakingEverythingOutIsNoPanic) {
  Fleet fleet(service_of(2));
  fleet.mode(0, Mode::kMaintenance, kStart);
  fleet.mode(1, Mode::kDrain, kStart);
  EXPECT_EQ(fleet.state.serving(), 0U);
  EXPECT_EQ(fleet.state.panic_since(), 0U);
}

TEST(ServiceState, PanicMaySpreadOverTheUnwellButNotOverWhatOperatorsTookOut) {
  model::Service service = service_of(3);
  service.availability.on_panic = model::OnPanic::kSpread;
  Fleet fleet(service);
  fleet.mode(0, Mode::kMaintenance, kStart);
  fleet.health(1, Health::kDown, kStart + 1);
  fleet.health(2, Health::kDown, kStart + 1);
  EXPECT_EQ(fleet.told(0).admission, model::Admission::kDown);
  EXPECT_EQ(fleet.told(1).admission, model::Admission::kServing);
  EXPECT_EQ(fleet.told(2).admission, model::Admission::kServing);
  EXPECT_EQ(fleet.state.judgement(1).state, State::kDown);
  fleet.health(2, Health::kUp, kStart + 2);
  EXPECT_EQ(fleet.told(1).admission, model::Admission::kDown);
}

TEST(ServiceState, WhatDidNotChangeIsTheSameObject) {
  Fleet fleet(service_of(2));
  const ServiceState::Shared before = fleet.state.in_force();
  fleet.state.settle(kStart + 5, fleet.transitions);
  EXPECT_EQ(fleet.state.in_force(), before);
  fleet.state.edit(0).weight = 7;
  fleet.state.settle(kStart + 6, fleet.transitions);
  EXPECT_NE(fleet.state.in_force(), before);
}

struct GuardRow {
  const char* sentence;
  model::Guards guards;
  std::size_t draining;  // of ten, before
  Mode mode;             // of one more
  bool refused;
};

constexpr GuardRow kGuardRows[] = {
    {"up to max_draining", {.max_draining = {.count = 2}}, 1, Mode::kDrain, false},
    {"above max_draining", {.max_draining = {.count = 2}}, 2, Mode::kDrain, true},
    {"maintenance counts as well", {.max_draining = {.count = 2}}, 2, Mode::kMaintenance, true},
    {"a part is rounded down", {.max_draining = {.percent = 29}}, 2, Mode::kDrain, true},
    {"but one is always possible", {.max_draining = {.percent = 1}}, 0, Mode::kDrain, false},
    {"down to min_ready", {.min_ready = {.count = 5}}, 4, Mode::kDrain, false},
    {"below min_ready", {.min_ready = {.count = 5}}, 5, Mode::kDrain, true},
    {"a part is rounded up", {.min_ready = {.percent = 41}}, 5, Mode::kMaintenance, true},
    {"what makes nothing worse is not refused",
     {.min_ready = {.count = 5}},
     6,
     Mode::kReady,
     false},
};

TEST(ServiceState, GuardsRefuseWhatMakesItWorse) {
  for (const GuardRow& row : kGuardRows) {
    model::Service service = service_of(10);
    service.availability.guards = row.guards;
    Fleet before(service);
    for (std::size_t i = 0; i < row.draining; ++i) before.mode(i, Mode::kDrain, kStart);
    Fleet after = before;
    after.mode(row.mode == Mode::kReady ? 0 : row.draining, row.mode, kStart + 1);
    bool refused = false;
    for (const GuardCheck& check : check_guards(before.state, after.state)) {
      refused = refused || check.refused;
    }
    EXPECT_EQ(refused, row.refused) << row.sentence;
  }
}

}  // namespace
}  // namespace hawser::control
