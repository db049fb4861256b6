// States of a backend: every cell of the tables that says something about users.
#include "state_machine.h"

#include <gtest/gtest.h>

namespace hawser::control {
namespace {

using enum Health;
constexpr auto kServing = model::Admission::kServing;
constexpr auto kOldFlowsOnly = model::Admission::kDraining;
constexpr auto kNothing = model::Admission::kDown;

struct JudgementRow {
  const char* sentence;
  Mode mode;
  Health health;
  Judgement expected;
};

constexpr JudgementRow kJudgementRows[] = {
    {"without a check the file decides",
     Mode::kReady,
     kUnchecked,
     {State::kReady, kServing, Cause::kConfiguration}},
    {"what was serving goes on until its checks fall",
     Mode::kReady,
     kPresumed,
     {State::kReady, kServing, Cause::kNotYetChecked}},
    {"what is new waits for its checks",
     Mode::kReady,
     kWaiting,
     {State::kStarting, kNothing, Cause::kNotYetChecked}},
    {"up serves", Mode::kReady, kUp, {State::kReady, kServing, Cause::kChecksPass}},
    {"down serves nobody", Mode::kReady, kDown, {State::kDown, kNothing, Cause::kCheckFailed}},
    {"a drain keeps old flows",
     Mode::kDrain,
     kUp,
     {State::kDraining, kOldFlowsOnly, Cause::kOperator}},
    {"a drain of what was not yet checked keeps old flows",
     Mode::kDrain,
     kPresumed,
     {State::kDraining, kOldFlowsOnly, Cause::kOperator}},
    {"a drained backend that fails lets its flows go",
     Mode::kDrain,
     kDown,
     {State::kDown, kNothing, Cause::kCheckFailed}},
    {"maintenance stops everything",
     Mode::kMaintenance,
     kUp,
     {State::kMaintenance, kNothing, Cause::kOperator}},
    {"maintenance hides a failing check",
     Mode::kMaintenance,
     kDown,
     {State::kMaintenance, kNothing, Cause::kOperator}},
};

TEST(StateMachine, JudgesModeAndHealth) {
  for (const JudgementRow& row : kJudgementRows) {
    EXPECT_EQ(judge(row.mode, row.health), row.expected) << row.sentence;
  }
}

TEST(StateMachine, MaintenanceNeverServes) {
  for (const Health health : {kUnchecked, kPresumed, kWaiting, kUp, kDown}) {
    EXPECT_EQ(judge(Mode::kMaintenance, health).admission, kNothing);
    EXPECT_NE(judge(Mode::kDrain, health).admission, kServing);
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
