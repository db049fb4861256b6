// States of a backend: every cell of the tables that says something about users.
#include "state_machine.h"

#include <vector>

#include <gtest/gtest.h>

namespace hawser::control {
namespace {

using enum Health;
constexpr auto kServing = model::Admission::kServing;
constexpr auto kOldFlowsOnly = model::Admission::kDraining;
constexpr auto kNothing = model::Admission::kDown;

struct JudgementRow {
  const char* sentence;
  Situation situation;
  Judgement expected;
};

constexpr JudgementRow kJudgementRows[] = {
    {"without a check the file decides",
     {.health = kUnchecked},
     {State::kReady, kServing, Cause::kConfiguration}},
    {"what was serving goes on until its checks fall",
     {.health = kPresumed},
     {State::kReady, kServing, Cause::kNotYetChecked}},
    {"what is new waits for its checks",
     {.health = kWaiting},
     {State::kStarting, kNothing, Cause::kNotYetChecked}},
    {"up serves", {.health = kUp}, {State::kReady, kServing, Cause::kChecksPass}},
    {"down serves nobody", {.health = kDown}, {State::kDown, kNothing, Cause::kCheckFailed}},
    {"a slow start serves already",
     {.health = kUp, .starting = true},
     {State::kStarting, kServing, Cause::kSlowStart}},
    {"an ejected backend keeps what is open",
     {.health = kUp, .ejected = true},
     {State::kDown, kOldFlowsOnly, Cause::kEjected}},
    {"an ejection never shields one that fails its checks",
     {.health = kDown, .ejected = true},
     {State::kDown, kNothing, Cause::kCheckFailed}},
    {"an agent drains", {.agent = Agent::kDrain}, {State::kDraining, kOldFlowsOnly, Cause::kAgent}},
    {"an agent takes out",
     {.agent = Agent::kMaintenance},
     {State::kMaintenance, kNothing, Cause::kAgent}},
    {"an agent says down while checks pass",
     {.health = kUp, .agent = Agent::kDown},
     {State::kDown, kNothing, Cause::kAgent}},
    {"an agent's up does not help against failing checks",
     {.health = kDown, .agent = Agent::kUp},
     {State::kDown, kNothing, Cause::kCheckFailed}},
    {"a drain keeps old flows",
     {.mode = Mode::kDrain, .health = kUp},
     {State::kDraining, kOldFlowsOnly, Cause::kOperator}},
    {"a drain of what was not yet checked keeps old flows",
     {.mode = Mode::kDrain, .health = kPresumed},
     {State::kDraining, kOldFlowsOnly, Cause::kOperator}},
    {"a drained backend that fails lets its flows go",
     {.mode = Mode::kDrain, .health = kDown},
     {State::kDown, kNothing, Cause::kCheckFailed}},
    {"the operator's drain comes before the agent's",
     {.mode = Mode::kDrain, .health = kUp, .agent = Agent::kDrain},
     {State::kDraining, kOldFlowsOnly, Cause::kOperator}},
    {"maintenance stops everything",
     {.mode = Mode::kMaintenance, .health = kUp},
     {State::kMaintenance, kNothing, Cause::kOperator}},
    {"maintenance hides a failing check",
     {.mode = Mode::kMaintenance, .health = kDown},
     {State::kMaintenance, kNothing, Cause::kOperator}},
};

TEST(StateMachine, JudgesSituations) {
  for (const JudgementRow& row : kJudgementRows) {
    EXPECT_EQ(judge(row.situation), row.expected) << row.sentence;
  }
}

constexpr Mode kModes[] = {Mode::kReady, Mode::kDrain, Mode::kMaintenance};
constexpr Health kHealths[] = {kUnchecked, kPresumed, kWaiting, kUp, kDown};
constexpr Agent kAgents[] = {Agent::kNone, Agent::kUp, Agent::kDrain, Agent::kMaintenance,
                             Agent::kDown};

std::vector<Situation> every_situation() {
  std::vector<Situation> all;
  for (const Mode mode : kModes) {
    for (const Health health : kHealths) {
      for (const Agent agent : kAgents) {
        for (const bool ejected : {false, true}) {
          for (const bool starting : {false, true}) {
            all.push_back({mode, health, agent, ejected, starting});
          }
        }
      }
    }
  }
  return all;
}

// Every situation that one event leads to from `from`: what an operator, a check, an agent, the
// dataplane or the passing of time can do.
std::vector<Situation> edges(const Situation& from) {
  std::vector<Situation> all;
  for (const Mode mode : kModes) {
    all.push_back(from);
    all.back().mode = mode;
  }
  for (const Event event :
       {Event::kRose, Event::kFell, Event::kCheckAdded, Event::kCheckRemoved, Event::kFoundDown}) {
    all.push_back(from);
    all.back().health = next(from.health, event);
  }
  for (const Agent agent : kAgents) {
    all.push_back(from);
    all.back().agent = agent;
  }
  for (const bool flag : {false, true}) {
    all.push_back(from);
    all.back().ejected = flag;
    all.push_back(from);
    all.back().starting = flag;
  }
  return all;
}

// The same table, said the other way round: when each state is the one.
State expected_state(const Situation& s) {
  const bool away = s.mode == Mode::kMaintenance || s.agent == Agent::kMaintenance;
  if (away) return State::kMaintenance;
  if (s.health == kDown || s.agent == Agent::kDown) return State::kDown;
  const bool waits = s.health == kWaiting && s.mode == Mode::kReady;
  if (waits) return State::kStarting;
  if (s.mode == Mode::kDrain || s.agent == Agent::kDrain) return State::kDraining;
  if (s.ejected) return State::kDown;
  return s.starting ? State::kStarting : State::kReady;
}

TEST(StateMachine, EveryEdgeLeadsWhereItShould) {
  std::size_t taken = 0;
  for (const Situation& from : every_situation()) {
    for (const Situation& to : edges(from)) {
      EXPECT_EQ(judge(to).state, expected_state(to));
      ++taken;
    }
  }
  EXPECT_EQ(taken, 300U * 17U);
}

TEST(StateMachine, OnlyReadyAndStartingServe) {
  for (const Situation& situation : every_situation()) {
    const Judgement judgement = judge(situation);
    const bool serves = judgement.admission == kServing;
    EXPECT_EQ(serves, judgement.state == State::kReady || judgement.cause == Cause::kSlowStart);
    EXPECT_FALSE(serves && situation.mode != Mode::kReady);
    EXPECT_FALSE(situation.health == kDown && judgement.admission != kNothing);
    // What an operator or an agent took out on purpose is no reason to panic.
    if (situation.mode != Mode::kReady && situation.health != kDown &&
        situation.agent != Agent::kDown) {
      EXPECT_FALSE(is_unwell(judgement));
    }
  }
}

struct TransitionRow {
  const char* sentence;
  Health before;
  Event event;
  Health after;
};

constexpr TransitionRow kTransitionRows[] = {
    {"checks rise from waiting", kWaiting, Event::kRose, kUp},
    {"checks rise from presumed", kPresumed, Event::kRose, kUp},
    {"checks rise from down", kDown, Event::kRose, kUp},
    {"checks fall from up", kUp, Event::kFell, kDown},
    {"checks fall from presumed", kPresumed, Event::kFell, kDown},
    {"checks fall from waiting", kWaiting, Event::kFell, kDown},
    {"an event of a check that is gone does nothing", kUnchecked, Event::kFell, kUnchecked},
    {"a check added by reload does not take out of service", kUnchecked, Event::kCheckAdded,
     kPresumed},
    {"a check changed by reload keeps what is known", kDown, Event::kCheckAdded, kDown},
    {"a check removed by reload trusts the file", kDown, Event::kCheckRemoved, kUnchecked},
    {"what the running dataplane has down waits", kPresumed, Event::kFoundDown, kWaiting},
    {"a result of our own is newer than the dataplane's", kUp, Event::kFoundDown, kUp},
    {"without a check nothing is found down", kUnchecked, Event::kFoundDown, kUnchecked},
};

TEST(StateMachine, MovesHealthByEvents) {
  for (const TransitionRow& row : kTransitionRows) {
    EXPECT_EQ(next(row.before, row.event), row.after) << row.sentence;
  }
}

TEST(StateMachine, ModesHaveWordsThatParse) {
  for (const Mode mode : {Mode::kReady, Mode::kDrain, Mode::kMaintenance}) {
    const Result<Mode> parsed = parse_mode(to_string(mode));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(*parsed, mode);
  }
  EXPECT_FALSE(parse_mode("off").has_value());
}

}  // namespace
}  // namespace hawser::control
