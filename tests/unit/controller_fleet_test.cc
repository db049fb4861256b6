// The controller over time: terms, guards, maintenances that end, slow starts, plans, events.
#include <algorithm>

#include "controller_fixture.h"
#include "hawser/base/limits.h"

namespace hawser::control {
namespace {

class FleetTest : public ControllerTest {
 protected:
  void adjust(model::Configuration& configuration) override {
    model::Availability& web = configuration.services[0].availability;
    web.slow_start_seconds = slow_start_;
    web.guards.max_draining = {.count = 1};
    web.on_panic = on_panic_;
  }
  // Time passes, and what follows from it has reached the dataplane.
  model::Desired at(std::uint64_t now) {
    now_ = now;
    controller_->tick();
    return settled();
  }
  model::Desired settled() {
    const Epoch newest = controller_->view().desired;
    const model::Desired desired = dataplane_->running(newest.value);
    while (controller_->dataplane().applied < newest) std::this_thread::yield();
    return desired;
  }
  std::vector<HistoryEntry> history() {
    const auto found = controller_->history({}, 100);
    EXPECT_TRUE(found.has_value());
    std::vector<HistoryEntry> modes;
    for (const HistoryEntry& entry : *found) {
      if (entry.field == "mode") modes.push_back(entry);
    }
    return modes;
  }
  std::vector<std::string> events(EventKind kind) {
    std::vector<std::string> texts;
    for (const FleetEvent& event :
         controller_->events().after(0, limits::kMaxEvents, std::chrono::milliseconds(0))) {
      if (event.kind == kind) texts.push_back(event.text);
    }
    return texts;
  }
  ChangeOutcome drain(const std::string& name, std::uint64_t term = 0) {
    return controller_->set_mode({.service = "web",
                                  .backend = name,
                                  .mode = Mode::kDrain,
                                  .term_seconds = term,
                                  .jitter_seconds = term == 0 ? 0U : 30U,
                                  .author = "ann",
                                  .reason = "disk"});
  }

  std::uint32_t slow_start_ = 0;
  model::OnPanic on_panic_ = model::OnPanic::kRefuse;
};

TEST_F(FleetTest, ADrainsTermsAreKeptOverARestart) {
  dataplane_->connect(1);
  const ChangeOutcome outcome = drain("b1", 600);
  EXPECT_EQ(outcome.failure, Failure::kNone) << outcome.message;
  EXPECT_EQ(outcome.changes.front().after, "drain until 1970-01-01 00:26:40 UTC");
  EXPECT_EQ(row("web", "b1").until_unix(), 1600U);
  const model::Desired running = settled();
  now_ = 1300;
  restart();
  dataplane_->connect(1, running);
  EXPECT_EQ(row("web", "b1").until_unix(), 1600U);
  EXPECT_DOUBLE_EQ(row("web", "b1").sessions_released(), 0.5);
  EXPECT_EQ(backend(at(1300), 0, 0).departure,
            (model::Departure{.sessions = limits::kSlices / 2, .flows = 0}));
  EXPECT_EQ(backend(at(1600), 0, 0).departure,
            (model::Departure{.sessions = limits::kSlices, .flows = 0}));
  EXPECT_EQ(backend(at(1615), 0, 0).departure,
            (model::Departure{.sessions = limits::kSlices, .flows = limits::kSlices / 2}));
  EXPECT_EQ(backend(at(1630), 0, 0).departure,
            (model::Departure{.sessions = limits::kSlices, .flows = limits::kSlices}));
  const std::vector<v1::Drift> drift = drift_rows(controller_->view());
  ASSERT_EQ(drift.size(), 1U);
  EXPECT_EQ(drift[0].runtime(), "drain until 1970-01-01 00:26:40 UTC");
}

TEST_F(FleetTest, GuardsRefuseWithTheirNumbersAndForceIsWrittenDown) {
  dataplane_->connect(1);
  ASSERT_EQ(drain("b1").failure, Failure::kNone);
  const Epoch epoch = controller_->view().desired;
  const ChangeOutcome refused = drain("b2");
  EXPECT_EQ(refused.failure, Failure::kRefused);
  EXPECT_EQ(refused.message,
            "max_draining of service web is 1: 2 of its backends would be leaving; min_ready of "
            "service web is 1: 0 of its backends would take new flows; --force does it all the "
            "same, which is written down");
  EXPECT_EQ(controller_->view().desired, epoch);
  EXPECT_EQ(history().size(), 1U);
  const ChangeOutcome forced = controller_->set_mode({.service = "web",
                                                      .backend = "b2",
                                                      .mode = Mode::kMaintenance,
                                                      .author = "bob",
                                                      .reason = "fire",
                                                      .force = true});
  EXPECT_EQ(forced.failure, Failure::kNone) << forced.message;
  EXPECT_TRUE(forced.plan.is_refused());
  ASSERT_EQ(history().size(), 2U);
  EXPECT_TRUE(history()[0].by.forced);
  EXPECT_FALSE(history()[1].by.forced);
  EXPECT_EQ(events(EventKind::kChange).back(),
            "mode of web/b2: ready -> maintenance, past a guard");
  // The way back is never refused, and what is no worse neither.
  EXPECT_EQ(drain("b2").failure, Failure::kNone);
  EXPECT_EQ(controller_->set_mode({.service = "web", .backend = "b2"}).failure, Failure::kNone);
}

TEST_F(FleetTest, ForceWhereNoGuardRefusesIsNoForce) {
  dataplane_->connect(1);
  const ChangeOutcome outcome = controller_->set_mode(
      {.service = "web", .backend = "b1", .mode = Mode::kDrain, .force = true});
  EXPECT_EQ(outcome.failure, Failure::kNone) << outcome.message;
  EXPECT_FALSE(history().front().by.forced);
}

TEST_F(FleetTest, AMaintenanceEndsByItselfAndTheJournalSaysSo) {
  dataplane_->connect(1);
  static_cast<void>(controller_->set_mode({.service = "web",
                                           .backend = "b1",
                                           .mode = Mode::kMaintenance,
                                           .term_seconds = 60,
                                           .author = "ann"}));
  EXPECT_EQ(row("web", "b1").until_unix(), 1060U);
  EXPECT_EQ(backend(at(1059), 0, 0).admission, model::Admission::kDown);
  EXPECT_EQ(backend(at(1060), 0, 0).admission, model::Admission::kServing);
  EXPECT_EQ(row("web", "b1").state(), "ready");
  const HistoryEntry ended = history().front();
  EXPECT_EQ(ended.by, (Authorship{"hawserd", "its time is over", 1060}));
  EXPECT_EQ(ended.before, "maintenance until 1970-01-01 00:17:40 UTC");
  EXPECT_EQ(ended.after, "ready");
  restart();
  EXPECT_EQ(row("web", "b1").state(), "ready");
}

TEST_F(FleetTest, ASlowStartGoesOnOverARestart) {
  slow_start_ = 100;
  restart();
  dataplane_->connect(1);
  check("b1", true, Event::kRose);
  check("b2", true, Event::kRose);
  check("b1", false, Event::kFell);
  check("b1", true, Event::kRose);
  EXPECT_EQ(row("web", "b1").state(), "starting");
  EXPECT_EQ(row("web", "b1").until_unix(), 1100U);
  EXPECT_DOUBLE_EQ(row("web", "b1").weight_now(), 5);
  for (const std::string& line : problems()) EXPECT_EQ(line.find("web/b1"), line.npos) << line;
  const model::Desired half = at(1050);
  EXPECT_EQ(backend(half, 0, 0).weight * 100, backend(half, 0, 1).weight * 55);
  restart();
  dataplane_->connect(1, half);
  EXPECT_EQ(row("web", "b1").until_unix(), 1100U);
  const model::Desired adopted = at(1050);
  EXPECT_EQ(backend(adopted, 0, 0).weight, backend(half, 0, 0).weight);
  const model::Desired whole = at(1100);
  EXPECT_EQ(backend(whole, 0, 0).weight, backend(whole, 0, 1).weight);
  EXPECT_EQ(row("web", "b1").until_unix(), 0U);
}

TEST_F(FleetTest, APlanIsWhatThenHappens) {
  dataplane_->connect(1);
  const std::vector<std::pair<Mode, std::uint32_t>> steps{
      {Mode::kReady, 300}, {Mode::kDrain, 0}, {Mode::kMaintenance, 0}, {Mode::kReady, 0}};
  for (const auto& [mode, weight] : steps) {
    const auto order = [&, mode = mode, weight = weight](bool dry_run) {
      if (weight != 0) {
        return controller_->set_weight(
            {.service = "web", .backend = "b2", .weight = weight, .dry_run = dry_run});
      }
      return controller_->set_mode(
          {.service = "web", .backend = "b2", .mode = mode, .dry_run = dry_run});
    };
    const ChangeOutcome planned = order(true);
    ASSERT_EQ(planned.plan.backends.size(), 2U);
    for (const PlannedBackend& backend : planned.plan.backends) {
      EXPECT_EQ(backend.state_before, row("web", backend.backend).state());
      EXPECT_DOUBLE_EQ(backend.share_before, row("web", backend.backend).share());
    }
    ASSERT_TRUE(planned.candidate.has_value());
    const ChangeOutcome done = order(false);
    EXPECT_EQ(done.failure, Failure::kNone) << done.message;
    EXPECT_EQ(done.changes, planned.changes);
    for (const PlannedBackend& backend : planned.plan.backends) {
      EXPECT_EQ(backend.state_after, row("web", backend.backend).state());
      EXPECT_DOUBLE_EQ(backend.share_after, row("web", backend.backend).share());
    }
    const model::Desired running = settled();
    EXPECT_EQ(planned.candidate->services[0], running.services[0]);
  }
}

TEST_F(FleetTest, ANewPlanHasNoServiceThatDoesNotChange) {
  dataplane_->connect(1);
  const model::Desired before = settled();
  const ChangeOutcome planned = controller_->set_mode(
      {.service = "web", .backend = "b1", .mode = Mode::kDrain, .dry_run = true});
  for (const PlannedBackend& backend : planned.plan.backends) EXPECT_EQ(backend.service, "web");
  EXPECT_EQ(planned.candidate->services[1], before.services[1]);  // the same object
}

TEST_F(FleetTest, PanicIsAnEventAndAProblemAndMaySpread) {
  on_panic_ = model::OnPanic::kSpread;
  restart();
  dataplane_->connect(1);
  check("b1", false, Event::kFell);
  EXPECT_TRUE(events(EventKind::kPanic).empty());
  check("b2", false, Event::kFell);
  const model::Desired panic = settled();
  EXPECT_EQ(backend(panic, 0, 0).admission, model::Admission::kServing);
  EXPECT_EQ(events(EventKind::kPanic),
            std::vector<std::string>{"service web: panic: every backend is unhealthy: spread"});
  EXPECT_EQ(problems().front(),
            "critical: service web: panic for 60 s: every backend that should serve is unhealthy; "
            "new clients are spread over them all the same (on_panic = \"spread\"). Find out what "
            "the checks say: `hawserctl backends web`");
  check("b1", true, Event::kRose);
  EXPECT_EQ(backend(settled(), 0, 1).admission, model::Admission::kDown);
  EXPECT_EQ(events(EventKind::kPanic).back(), "service web: panic is over: a backend serves again");
}

TEST_F(FleetTest, WhatIsLeftAfterADeadlineIsAProblem) {
  dataplane_->connect(1);
  ASSERT_EQ(drain("b1", 10).failure, Failure::kNone);
  dataplane::v1::CountersReply counters;
  dataplane::v1::BackendCounters& flows = *counters.add_backends();
  flows.set_service("web");
  flows.set_backend("b1");
  flows.set_flows(7);
  flows.set_closing_flows(2);
  const auto told = [&](std::uint64_t now) {
    std::string all;
    for (const Problem& problem :
         find_problems(controller_->view(), fail("no answer"), counters, {}, now)) {
      all += problem.message + "\n";
    }
    return all;
  };
  EXPECT_EQ(told(1049).find("web/b1"), std::string::npos);
  EXPECT_NE(
      told(1050).find("backend web/b1: its drain's deadline has passed 40 s ago, and it still "
                      "has 5 flows; `hawserctl maintenance web/b1` ends them"),
      std::string::npos)
      << told(1050);
  flows.set_closing_flows(7);
  EXPECT_NE(told(1050).find("backend web/b1 is drained: no flows left, safe to stop"),
            std::string::npos);
}

TEST_F(FleetTest, EveryChangeIsAnEvent) {
  dataplane_->connect(1);
  ASSERT_EQ(drain("b1").failure, Failure::kNone);
  ASSERT_EQ(controller_->reload({.author = "bob", .reason = "more"}).change.failure,
            Failure::kNone);
  write("nonsense");
  static_cast<void>(controller_->reload({}));
  ASSERT_EQ(controller_->rotate_keys({.force = true}).change.failure, Failure::kNone);
  controller_->disconnected("gone");
  EXPECT_EQ(events(EventKind::kChange), std::vector<std::string>{"mode of web/b1: ready -> drain"});
  EXPECT_EQ(events(EventKind::kState),
            std::vector<std::string>{"backend web/b1 is draining, was ready: operator"});
  ASSERT_EQ(events(EventKind::kReload).size(), 2U);
  EXPECT_EQ(events(EventKind::kReload)[1].rfind("reload refused, nothing changed: ", 0), 0U);
  EXPECT_EQ(events(EventKind::kKeys).size(), 1U);
  EXPECT_EQ(events(EventKind::kDataplane).back(), "no dataplane: gone");
}

}  // namespace
}  // namespace hawser::control
