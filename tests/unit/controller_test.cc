// The controller with a dataplane of its own making: what is told to it, stored, refused, adopted.
#include "controller_fixture.h"

namespace hawser::control {
namespace {

TEST_F(ControllerTest, TellsAFreshDataplaneTheFile) {
  dataplane_->connect(1);
  const model::Desired running = dataplane_->running();
  ASSERT_EQ(running.services.size(), 2U);
  EXPECT_EQ(backend(running, 0, 0).admission, model::Admission::kServing);
  EXPECT_EQ(backend(running, 0, 0).weight, 100U);
  EXPECT_NE(running.flow_key, model::FlowKey{});
}

TEST_F(ControllerTest, WeightIsConfirmedStoredAndSurvivesARestart) {
  dataplane_->connect(1);
  const ChangeOutcome outcome = controller_->set_weight(
      {.service = "web", .backend = "b1", .weight = 50, .author = "ann", .reason = "hot"});
  EXPECT_EQ(outcome.failure, Failure::kNone) << outcome.message;
  EXPECT_EQ(outcome.changes, (std::vector<Change>{{"web", "b1", "weight", "100", "50"}}));
  EXPECT_EQ(outcome.epoch, dataplane_->running().epoch.value);
  EXPECT_EQ(backend(dataplane_->running(), 0, 0).weight, 50U);
  const std::uint64_t epoch = outcome.epoch;
  restart();
  dataplane_->connect(2);
  EXPECT_EQ(backend(dataplane_->running(epoch + 1), 0, 0).weight, 50U);
  const std::vector<v1::Drift> drift = drift_rows(controller_->view());
  ASSERT_EQ(drift.size(), 1U);
  EXPECT_EQ(drift[0].field(), "weight");
  EXPECT_EQ(drift[0].file(), "100");
  EXPECT_EQ(drift[0].runtime(), "50");
  EXPECT_EQ(drift[0].author(), "ann");
  EXPECT_EQ(drift[0].reason(), "hot");
}

TEST_F(ControllerTest, TheSameAgainChangesNothing) {
  dataplane_->connect(1);
  const WeightOrder order{.service = "web", .backend = "b2", .weight = 50};
  const std::uint64_t epoch = controller_->set_weight(order).epoch;
  const ChangeOutcome again = controller_->set_weight(order);
  EXPECT_TRUE(again.changes.empty());
  EXPECT_EQ(again.epoch, epoch);
}

TEST_F(ControllerTest, BackToTheFileLeavesNoDrift) {
  dataplane_->connect(1);
  for (const bool to_file : {true, false}) {
    static_cast<void>(controller_->set_weight({.backend = "b2", .weight = 50}));
    const ChangeOutcome back =
        controller_->set_weight({.backend = "b2", .weight = 100, .to_file = to_file});
    EXPECT_EQ(back.changes, (std::vector<Change>{{"web", "b2", "weight", "50", "100"}}));
    EXPECT_TRUE(drift_rows(controller_->view()).empty());
  }
}

TEST_F(ControllerTest, DrainAndMaintenanceAndReady) {
  dataplane_->connect(1);
  static_cast<void>(
      controller_->set_mode({.backend = "b2", .mode = Mode::kDrain, .author = "ann"}));
  EXPECT_EQ(backend(dataplane_->running(), 0, 1).admission, model::Admission::kDraining);
  EXPECT_EQ(row("web", "b2").state(), "draining");
  EXPECT_EQ(row("web", "b2").author(), "ann");
  static_cast<void>(controller_->set_mode({.backend = "b2", .mode = Mode::kMaintenance}));
  EXPECT_EQ(backend(dataplane_->running(), 0, 1).admission, model::Admission::kDown);
  static_cast<void>(controller_->set_mode({.backend = "b2", .mode = Mode::kReady}));
  EXPECT_EQ(backend(dataplane_->running(), 0, 1).admission, model::Admission::kServing);
  EXPECT_EQ(row("web", "b2").author(), "");
}

TEST_F(ControllerTest, UnknownAndAmbiguousNamesAreTold) {
  const ChangeOutcome unknown = controller_->set_weight({.backend = "b22", .weight = 1});
  EXPECT_EQ(unknown.failure, Failure::kNotFound);
  EXPECT_EQ(unknown.message, "there is no backend \"b22\" (did you mean \"b2\"?)");
  const ChangeOutcome service =
      controller_->set_mode({.service = "wbe", .backend = "b1", .mode = Mode::kDrain});
  EXPECT_EQ(service.failure, Failure::kNotFound);
  EXPECT_EQ(service.message, "there is no service \"wbe\" (did you mean \"web\"?)");
  const ChangeOutcome ambiguous = controller_->set_weight({.backend = "b1", .weight = 1});
  EXPECT_EQ(ambiguous.failure, Failure::kInvalid);
  EXPECT_EQ(ambiguous.message,
            "backend \"b1\" is in several services (\"web\", \"api\"); name one");
}

TEST_F(ControllerTest, ABadWeightOrReasonIsInvalid) {
  for (const std::uint32_t weight : {0U, 1001U}) {
    EXPECT_EQ(controller_->set_weight({.backend = "b2", .weight = weight}).failure,
              Failure::kInvalid);
  }
  EXPECT_EQ(controller_->set_weight({.backend = "b2", .weight = 5, .reason = "a\nb"}).failure,
            Failure::kInvalid);
}

TEST_F(ControllerTest, ADryRunChangesNothing) {
  dataplane_->connect(1);
  const std::uint64_t epoch = dataplane_->running().epoch.value;
  const ChangeOutcome outcome =
      controller_->set_mode({.backend = "b2", .mode = Mode::kDrain, .dry_run = true});
  EXPECT_EQ(outcome.changes, (std::vector<Change>{{"web", "b2", "mode", "ready", "drain"}}));
  EXPECT_EQ(controller_->view().desired.value, epoch);
  EXPECT_EQ(row("web", "b2").state(), "ready");
}

TEST_F(ControllerTest, WithoutADataplaneTheChangeIsStoredForItsReturn) {
  const ChangeOutcome outcome = controller_->set_mode({.backend = "b2", .mode = Mode::kDrain});
  EXPECT_EQ(outcome.failure, Failure::kNone);
  EXPECT_EQ(outcome.epoch, 0U);
  EXPECT_NE(outcome.note.find("will be applied when it returns"), std::string::npos);
  dataplane_->connect(1);
  EXPECT_EQ(backend(dataplane_->running(), 0, 1).admission, model::Admission::kDraining);
}

TEST_F(ControllerTest, WhatTheDataplaneRefusesIsRolledBack) {
  dataplane_->connect(1);
  dataplane_->running();
  dataplane_->refuse("no room");
  const ChangeOutcome outcome =
      controller_->set_weight({.service = "web", .backend = "b1", .weight = 50});
  EXPECT_EQ(outcome.failure, Failure::kRefused);
  EXPECT_EQ(outcome.message, "the dataplane refused it: no room");
  EXPECT_TRUE(outcome.changes.empty());
  EXPECT_EQ(row("web", "b1").weight(), 100U);
  dataplane_->refuse("");
  restart();
  EXPECT_EQ(row("web", "b1").weight(), 100U);
}

TEST_F(ControllerTest, ASlowDataplaneIsATimeoutAndTheChangeStays) {
  dataplane_->connect(1);
  dataplane_->running();
  dataplane_->stall(true);
  const ChangeOutcome outcome = controller_->set_weight({.backend = "b2", .weight = 50});
  EXPECT_EQ(outcome.failure, Failure::kTimedOut);
  dataplane_->stall(false);
  EXPECT_EQ(backend(dataplane_->running(controller_->view().desired.value), 0, 1).weight, 50U);
}

TEST_F(ControllerTest, FailingChecksTakeOutAndGoodOnesBringBack) {
  dataplane_->connect(1);
  check("b1", false, std::nullopt);
  EXPECT_EQ(row("web", "b1").state(), "ready");
  check("b1", false, Event::kFell);
  EXPECT_EQ(backend(dataplane_->running(controller_->view().desired.value), 0, 0).admission,
            model::Admission::kDown);
  EXPECT_EQ(row("web", "b1").state(), "down");
  EXPECT_EQ(row("web", "b1").cause(), "check failed: connection refused");
  EXPECT_DOUBLE_EQ(row("web", "b2").share(), 1.0);
  check("b1", true, Event::kRose);
  EXPECT_EQ(row("web", "b1").state(), "ready");
  EXPECT_DOUBLE_EQ(row("web", "b2").share(), 0.5);
}

TEST_F(ControllerTest, ASecondDataplaneIsToldEverything) {
  dataplane_->connect(1);
  const std::uint64_t epoch = controller_->set_weight({.backend = "b2", .weight = 50}).epoch;
  controller_->disconnected("gone");
  EXPECT_FALSE(controller_->pending().has_value() && controller_->view().dataplane.connected);
  dataplane_->connect(2);
  EXPECT_EQ(backend(dataplane_->running(epoch), 0, 1).weight, 50U);
  EXPECT_EQ(controller_->view().dataplane.version, "test");
}

TEST_F(ControllerTest, AdoptsARunningDataplane) {
  model::Desired running{.epoch = Epoch(70), .flow_key = {}, .services = {}};
  running.flow_key[3] = 9;
  const model::ServiceList services = controller_->view().runtime.services();
  model::Service web = services[0];
  web.backends[0].admission = model::Admission::kDown;
  web.backends[1].admission = model::Admission::kDraining;
  model::Service other = services[1];
  other.backends[0].admission = model::Admission::kDown;
  running.services = {web, other};
  dataplane_->connect(5, running);
  const model::Desired told = dataplane_->running(71);
  EXPECT_EQ(told.flow_key, running.flow_key);
  // Checks had it down: it waits for them. Draining, or down without checks: operators' wishes.
  EXPECT_EQ(row("web", "b1").state(), "starting");
  EXPECT_EQ(row("web", "b2").state(), "draining");
  EXPECT_EQ(row("api", "b1").state(), "maintenance");
  EXPECT_EQ(row("api", "b1").reason(), "adopted from the running dataplane");
  restart();
  EXPECT_EQ(row("web", "b2").state(), "draining");
  // Epochs are reserved on disk many at once.
  EXPECT_GT(controller_->view().desired.value, told.epoch.value);
}

TEST_F(ControllerTest, ReloadTakesEffectAsAWhole) {
  dataplane_->connect(1);
  static_cast<void>(controller_->set_mode(
      {.service = "api", .backend = "b1", .mode = Mode::kDrain, .force = true}));
  std::string text = kFile;
  text.replace(text.find("10.0.0.12"), 9, "10.0.0.22");
  text.replace(text.find("name = \"b1\", address = \"10.0.0.11\", port = 81"), 11, "name = \"b9\"");
  text.replace(text.find("net_null0"), 9, "net_null1");
  write(text);
  const ReloadOutcome dry = controller_->reload({.author = "ada", .reason = "", .dry_run = true});
  const ReloadOutcome outcome = controller_->reload({.author = "ada", .reason = ""});
  EXPECT_EQ(outcome.change.changes, dry.change.changes);
  EXPECT_EQ(outcome.change.changes,
            (std::vector<Change>{{"web", "b2", "address", "10.0.0.12:80", "10.0.0.22:80"},
                                 {"api", "b9", "backend", "", "10.0.0.11:81 weight 100"},
                                 {"api", "b1", "backend", "10.0.0.11:81 weight 100", ""}}));
  EXPECT_EQ(outcome.notes,
            (std::vector<std::string>{
                "[[port]] changed: it takes effect when hawser-dataplane restarts",
                "mode drain of api/b1 is dropped: the backend is not in the configuration file any "
                "more"}));
  EXPECT_EQ(outcome.change.epoch, dataplane_->running().epoch.value);
  EXPECT_EQ(row("web", "b1").state(), "ready");
  EXPECT_EQ(row("web", "b2").state(), "starting");
  EXPECT_EQ(row("api", "b9").state(), "ready");
  EXPECT_TRUE(controller_->reload({.author = "ada", .reason = ""}).change.changes.empty());
}

TEST_F(ControllerTest, PrefixListsReachTheDataplaneAndAReloadReadsThemAgain) {
  const std::string list = scratch_.path() + "/blocked";
  const auto write_list = [&](const char* text) { std::ofstream(list, std::ios::trunc) << text; };
  write_list("192.0.2.0/24\n198.51.100.7\n");
  std::string text = kFile;
  text.replace(text.find("[[service]]"), 0,
               "[[prefix_list]]\nname = \"blocked\"\nfile = \"" + list + "\"\n");
  text.replace(text.find("port = 80\n"), 0, "deny = [\"blocked\"]\n");
  write(text);
  restart();
  dataplane_->connect(1);
  ASSERT_EQ(dataplane_->running().prefix_lists.size(), 1U);
  EXPECT_EQ(dataplane_->running().prefix_lists[0].name, "blocked");
  EXPECT_EQ(dataplane_->running().prefix_lists[0].prefixes->size(), 2U);
  EXPECT_EQ(dataplane_->running().services[0].protection.deny, std::vector<std::string>{"blocked"});
  EXPECT_TRUE(controller_->reload({.author = "ada", .reason = ""}).change.changes.empty());
  write_list("192.0.2.0/24\n198.51.100.8\n198.51.100.9\n");
  const ChangeOutcome changed = controller_->reload({.author = "ada", .reason = ""}).change;
  EXPECT_EQ(changed.changes, (std::vector<Change>{{"blocked", "", "prefix_list", "2 prefixes",
                                                   "3 prefixes: 2 added, 1 removed"}}));
  EXPECT_EQ(dataplane_->running(changed.epoch).prefix_lists[0].prefixes->size(), 3U);
  write_list("192.0.2.0/24\noops\n");
  const ReloadOutcome refused = controller_->reload({.author = "ada", .reason = ""});
  ASSERT_EQ(refused.diagnostics.size(), 1U);
  EXPECT_EQ(refused.diagnostics[0].rfind(list + ":2:1: \"oops\" is no network", 0), 0U);
  std::filesystem::remove(list);
  EXPECT_EQ(controller_->reload({.author = "ada", .reason = ""}).diagnostics,
            std::vector<std::string>{file_ + ":9:8: prefix list \"blocked\": " + list +
                                     " cannot be read: No such file or directory"});
  EXPECT_EQ(dataplane_->running().prefix_lists[0].prefixes->size(), 3U);
}

TEST_F(ControllerTest, ABadFileChangesNothing) {
  dataplane_->connect(1);
  const std::uint64_t epoch = dataplane_->running().epoch.value;
  write(std::string(kFile) + "colour = 3\n");
  const ReloadOutcome outcome = controller_->reload({.author = "ada", .reason = ""});
  ASSERT_EQ(outcome.diagnostics.size(), 1U);
  EXPECT_EQ(outcome.diagnostics[0].rfind(file_ + ":19:1: service \"api\": unknown key", 0), 0U)
      << outcome.diagnostics[0];
  EXPECT_TRUE(outcome.change.changes.empty());
  EXPECT_EQ(controller_->view().desired.value, epoch);
  std::filesystem::remove(file_);
  EXPECT_EQ(controller_->reload({.author = "ada", .reason = ""}).diagnostics,
            std::vector<std::string>{file_ + ":1:1: cannot be read: No such file or directory"});
}

TEST_F(ControllerTest, AReloadThatIsRefusedIsRolledBack) {
  dataplane_->connect(1);
  dataplane_->running();
  dataplane_->refuse("too many");
  std::string text = kFile;
  text.replace(text.find("10.0.0.12"), 9, "10.0.0.22");
  write(text);
  const ReloadOutcome outcome = controller_->reload({.author = "ada", .reason = ""});
  EXPECT_EQ(outcome.change.failure, Failure::kRefused);
  EXPECT_EQ(row("web", "b2").address(), "10.0.0.12:80");
}

TEST_F(ControllerTest, ProblemsSayWhatAndWhatToDo) {
  controller_->disconnected("connection refused; is hawser-dataplane running?");
  EXPECT_EQ(problems(),
            (std::vector<std::string>{
                "critical: hawserd has had no dataplane for 60 s: connection refused; is "
                "hawser-dataplane running? A running dataplane goes on with its last snapshot; see "
                "`systemctl status hawser-dataplane`"}));
  dataplane_->connect(1);
  dataplane_->running();
  check("b1", false, Event::kFell);
  check("b2", false, Event::kFell);
  const std::uint64_t newest = controller_->view().desired.value;
  dataplane_->running(newest);
  while (controller_->view().dataplane.applied.value != newest) std::this_thread::yield();
  EXPECT_EQ(problems(),
            (std::vector<std::string>{
                "critical: service web: panic for 60 s: every backend that should serve is "
                "unhealthy; new clients are refused (on_panic = \"refuse\"). Find out what the "
                "checks say: `hawserctl backends web`",
                "warning: backend web/b1 (10.0.0.11:80) is down for 60 s: check failed: connection "
                "refused",
                "warning: backend web/b2 (10.0.0.12:80) is down for 60 s: check failed: connection "
                "refused",
                "warning: the dataplane does not answer questions: no answer"}));
}

}  // namespace
}  // namespace hawser::control
