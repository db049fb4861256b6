// Tests of what runs a fleet, against a gRPC server with canned replies: terms, plans, guards,
// events.
#include <csignal>
#include <thread>

#include "arguments.h"
#include "hawserctl_server_fixture.h"
#include "views.h"

namespace hawser::ctl {
namespace {

using Control = HawserctlServer;

const Paint kPlainPaint(false);

rpc::Plan plan_of_drain(bool refused) {
  rpc::Plan plan;
  rpc::GuardCheck& guard = *plan.add_guards();
  guard.set_service("web");
  guard.set_guard("min_ready");
  guard.set_limit(2);
  guard.set_before(2);
  guard.set_after(1);
  guard.set_refused(refused);
  rpc::PlanBackend& leaving = *plan.add_backends();
  leaving.set_service("web");
  leaving.set_backend("b1");
  leaving.set_state_before("ready");
  leaving.set_state_after("draining");
  leaving.set_share_before(0.5);
  rpc::PlanBackend& staying = *plan.add_backends();
  staying.set_service("web");
  staying.set_backend("b2");
  staying.set_state_before("ready");
  staying.set_state_after("ready");
  staying.set_share_before(0.5);
  staying.set_share_after(1);
  return plan;
}

void measure(rpc::Plan& plan) {
  plan.set_measured(true);
  plan.set_slots_moved(500);
  plan.set_flows_broken(3);
  for (rpc::PlanBackend& row : *plan.mutable_backends()) {
    row.set_slots_before(500);
    row.set_slots_after(row.backend() == "b1" ? 0 : 1000);
    row.set_flows(12);
    row.set_flows_broken(row.backend() == "b1" ? 3 : 0);
    row.set_flows_after(row.backend() == "b1" ? 0 : 24);
  }
}

rpc::Event event(std::uint64_t sequence, const std::string& text) {
  rpc::Event event;
  event.set_sequence(sequence);
  event.set_at_unix_ms(kNow * 1000 + 250);
  event.set_kind("change");
  event.set_severity("info");
  event.set_service("web");
  event.set_backend("b1");
  event.set_text(text);
  event.set_author("ada");
  event.set_reason("disk swap");
  return event;
}

// --- terms ---------------------------------------------------------------------------------------

TEST_F(Control, ADrainTakesADeadlineAndHowItEnds) {
  ASSERT_EQ(ctl({"drain", "web/b1"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.last_mode.term_seconds(), 0U);
  EXPECT_EQ(daemon_.last_mode.jitter_seconds(), 0U);
  EXPECT_FALSE(daemon_.last_mode.force());
  ASSERT_EQ(ctl({"drain", "web/b1", "--by", "30m"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.last_mode.term_seconds(), 1800U);
  EXPECT_EQ(daemon_.last_mode.jitter_seconds(), 10U);
  EXPECT_FALSE(daemon_.last_mode.keep_flows());
  ASSERT_EQ(ctl({"drain", "web/b1", "--by", "90", "--jitter", "0", "--force"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.last_mode.term_seconds(), 90U);
  EXPECT_EQ(daemon_.last_mode.jitter_seconds(), 0U);
  EXPECT_TRUE(daemon_.last_mode.force());
  ASSERT_EQ(ctl({"drain", "web/b1", "--by", "2h", "--forever"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.last_mode.term_seconds(), 7200U);
  EXPECT_TRUE(daemon_.last_mode.keep_flows());
}

TEST_F(Control, AMaintenanceTakesAnEnd) {
  ASSERT_EQ(ctl({"maintenance", "web/b1", "--for", "45s", "--force"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.last_mode.mode(), rpc::MAINTENANCE);
  EXPECT_EQ(daemon_.last_mode.term_seconds(), 45U);
  EXPECT_TRUE(daemon_.last_mode.force());
}

TEST_F(Control, TermsThatMakeNoSenseAreUsage) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> rows{
      {{"drain", "web/b1", "--by", "soon"}, "no duration in whole seconds"},
      {{"drain", "web/b1", "--by", "500ms"}, "no duration in whole seconds"},
      {{"drain", "web/b1", "--by", "0"}, "must be 1s to 30d"},
      {{"drain", "web/b1", "--by", "721h"}, "must be 1s to 30d"},
      {{"drain", "web/b1", "--by", "1m", "--jitter", "2h"}, "must be 0d to 1h"},
      {{"drain", "web/b1", "--by", "-5s"}, "is no duration"},
      {{"drain", "web/b1", "--jitter", "5s"}, "--jitter is about a deadline, which --by sets"},
      {{"drain", "web/b1", "--forever"}, "--forever is about a deadline"},
      {{"drain", "web/b1", "--by", "1m", "--forever", "--jitter", "1s"}, "nothing to spread"},
      {{"ready", "web/b1", "--force"}, "unknown option --force"},
      {{"drain", "web/b1", "--for", "1m"}, "unknown option --for"},
      {{"maintenance", "web/b1", "--for", ""}, "no duration"},
  };
  for (const auto& [words, message] : rows) {
    const Ran ran = ctl(words);
    EXPECT_EQ(ran.code, ExitCode::kUsage) << message;
    EXPECT_TRUE(contains(ran.err, message)) << ran.err << " instead of " << message;
  }
}

TEST_F(Control, ReloadSaysWhoAndWhy) {
  ASSERT_EQ(ctl({"reload", "--reason", "more backends"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.last_reload.author(), "ada");
  EXPECT_EQ(daemon_.last_reload.reason(), "more backends");
  EXPECT_FALSE(daemon_.last_reload.dry_run());
}

// --- plans and guards ----------------------------------------------------------------------------

TEST_F(Control, APlanIsTheDryRunOfItsVerb) {
  answer_change("mode", "ready", "drain", 0);
  daemon_.change.set_dry_run(true);
  *daemon_.change.mutable_plan() = plan_of_drain(false);
  daemon_.reload.set_dry_run(true);
  daemon_.rotation.set_dry_run(true);
  const std::vector<std::vector<std::string>> verbs{{"weight", "web/b1", "50"},
                                                    {"drain", "web/b1", "--by", "5m"},
                                                    {"ready", "web/b1"},
                                                    {"maintenance", "web/b1"},
                                                    {"reload"},
                                                    {"keys", "rotate"}};
  for (const std::vector<std::string>& verb : verbs) {
    std::vector<std::string> plan{"plan"};
    plan.insert(plan.end(), verb.begin(), verb.end());
    std::vector<std::string> dry = verb;
    dry.emplace_back("--dry-run");
    EXPECT_EQ(ctl_json(plan), ctl_json(dry)) << verb.front();
    EXPECT_EQ(ctl(plan).out, ctl(dry).out) << verb.front();
  }
  EXPECT_TRUE(daemon_.last_weight.dry_run());
  EXPECT_TRUE(daemon_.last_mode.dry_run());
  EXPECT_TRUE(daemon_.last_reload.dry_run());
  EXPECT_TRUE(daemon_.last_rotation.dry_run());
  // Options may stand anywhere, and --dry-run may be said as well.
  EXPECT_EQ(ctl({"--timeout", "5", "plan", "--json", "drain", "--dry-run", "web/b1"}).code,
            ExitCode::kOk);
}

TEST_F(Control, OnlyWhatChangesSomethingCanBePlanned) {
  EXPECT_TRUE(contains(ctl({"plan"}).err, "plan needs a VERB"));
  const Ran status = ctl({"plan", "status"});
  EXPECT_EQ(status.code, ExitCode::kUsage);
  EXPECT_TRUE(contains(status.err, "VERB \"status\" must be one of weight, drain")) << status.err;
  EXPECT_EQ(ctl({"plan", "drain"}).code, ExitCode::kUsage);
  EXPECT_EQ(ctl({"plan", "keys"}).code, ExitCode::kUsage);
  EXPECT_TRUE(contains(ctl({"plan", "--help"}).out, "Exactly VERB"));
  EXPECT_TRUE(contains(ctl({"plan", "drain", "--help"}).out, "--jitter"));
}

TEST_F(Control, APlanThatAGuardRefusesIsPrintedAndExitsThree) {
  answer_change("mode", "ready", "drain", 0);
  daemon_.change.set_dry_run(true);
  *daemon_.change.mutable_plan() = plan_of_drain(true);
  const Ran ran = ctl({"plan", "drain", "web/b1"});
  EXPECT_EQ(ran.code, ExitCode::kRefused);
  EXPECT_EQ(ran.out,
            "would change web/b1: mode ready -> drain\n"
            "\n"
            "SERVICE  GUARD      LIMIT       NOW  THEN  VERDICT\n"
            "web      min_ready  at least 2    2     1  refuses\n"
            "\n"
            "BACKEND  STATE                          SHARE\n"
            "web/b1   ready -> draining    50.0 % -> 0.0 %\n"
            "web/b2   ready              50.0 % -> 100.0 %\n"
            "slots and flows: not measured\n"
            "\n"
            "dry run: nothing was changed\n");
  EXPECT_EQ(ran.err,
            "hawserctl: a guard would refuse it: min_ready of service web is 2, and 1 of its "
            "backends would take new flows: --force does it all the same, which is written down\n");
  // With --force it would be done.
  EXPECT_EQ(ctl({"plan", "drain", "web/b1", "--force"}).code, ExitCode::kOk);
  const Ran json = ctl({"plan", "drain", "web/b1", "--json"});
  EXPECT_EQ(json.code, ExitCode::kRefused);
  EXPECT_EQ(Json::parse(json.out)["plan"]["guards"][0]["refused"], true);
  EXPECT_EQ(Json::parse(json.err)["error"]["kind"], "refused");
}

TEST_F(Control, AMeasuredPlanCountsSlotsAndFlows) {
  rpc::Plan plan = plan_of_drain(false);
  plan.set_not_measured("the dataplane is not connected");
  EXPECT_TRUE(contains(plan_view(plan, kPlainPaint),
                       "slots and flows: not measured: the dataplane is not connected\n"));
  plan.clear_not_measured();
  measure(plan);
  EXPECT_EQ(plan_view(plan, kPlainPaint),
            "\n"
            "SERVICE  GUARD      LIMIT       NOW  THEN  VERDICT\n"
            "web      min_ready  at least 2    2     1  allows\n"
            "\n"
            "BACKEND  STATE                          SHARE        SLOTS  FLOWS  ENDED  "
            "IN THE LONG RUN\n"
            "web/b1   ready -> draining    50.0 % -> 0.0 %     500 -> 0     12      3  "
            "        0 flows\n"
            "web/b2   ready              50.0 % -> 100.0 %  500 -> 1000     12      0  "
            "       24 flows\n"
            "total: 500 of 1000 slots move (50.0 %), 3 of 24 flows end\n");
}

TEST_F(Control, WhatIsForcedSaysPastWhat) {
  answer_change("mode", "ready", "drain", 18);
  *daemon_.change.mutable_plan() = plan_of_drain(true);
  EXPECT_EQ(ctl({"drain", "web/b1", "--force"}).out,
            "web/b1: mode ready -> drain\n"
            "forced: min_ready of service web is 2, and 1 of its backends would take new flows\n"
            "confirmed by the dataplane, epoch 18\n");
}

TEST_F(Control, WhatAGuardRefusesExitsThree) {
  daemon_.answer = grpc::Status(grpc::FAILED_PRECONDITION, "min_ready of service web is 2");
  const Ran ran = ctl({"drain", "web/b1"});
  EXPECT_EQ(ran.code, ExitCode::kRefused);
  EXPECT_TRUE(contains(ran.err, "min_ready of service web is 2")) << ran.err;
}

TEST_F(Control, DrainDoesNotWaitForConnectionsThatAreOver) {
  answer_change("mode", "ready", "drain", 18);
  daemon_.flows_left = {7, 3};
  daemon_.closing = 3;
  EXPECT_EQ(ctl({"drain", "b1", "--wait", "--timeout", "20"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.counter_polls, 3U);
}

// --- events --------------------------------------------------------------------------------------

TEST_F(Control, EventsAreLines) {
  daemon_.events = {event(1, "mode of web/b1: ready -> drain"), event(2, "and\nmore")};
  daemon_.events[1].clear_author();
  daemon_.events[1].clear_reason();
  daemon_.events[1].set_severity("critical");
  const Ran ran = ctl({"events", "--last", "7", "--backend", "web/b1"});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_EQ(ran.out,
            "2027-01-15 08:00:00  info      change     mode of web/b1: ready -> drain (ada): disk "
            "swap\n"
            "2027-01-15 08:00:00  critical  change     and?more\n");
  EXPECT_EQ(daemon_.last_events.last(), 7U);
  EXPECT_EQ(daemon_.last_events.service(), "web");
  EXPECT_EQ(daemon_.last_events.backend(), "b1");
  EXPECT_FALSE(daemon_.last_events.follow());
  EXPECT_EQ(ctl({"events", "--service", "a", "--backend", "b/c"}).code, ExitCode::kUsage);
  EXPECT_EQ(ctl({"events", "--last", "0"}).code, ExitCode::kUsage);
}

TEST_F(Control, EventsForProgramsAreOneObjectALine) {
  daemon_.events = {event(1, "first"), event(2, "second")};
  const Ran ran = ctl({"events", "--json"});
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 2);
  const Json first = Json::parse(ran.out.substr(0, ran.out.find('\n')));
  EXPECT_EQ(first["sequence"], 1);
  EXPECT_EQ(first["text"], "first");
  EXPECT_EQ(first["at_unix_ms"], kNow * 1000 + 250);
  EXPECT_EQ(daemon_.last_events.last(), 20U);
}

TEST_F(Control, FollowingEndsByCtrlCWithZero) {
  daemon_.events = {event(1, "first")};
  daemon_.holds = true;
  std::thread user([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    std::raise(SIGINT);
  });
  const Ran ran = ctl({"events", "--follow"});
  user.join();
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_TRUE(contains(ran.out, "first"));
  EXPECT_EQ(ran.err, "");
  EXPECT_TRUE(daemon_.last_events.follow());
}

TEST_F(Control, FollowingEndsWithFiveWhenHawserdGoes) {
  const Ran stopping = ctl({"events", "--follow"});  // the stream ends in good order
  EXPECT_EQ(stopping.code, ExitCode::kUnreachable);
  EXPECT_TRUE(contains(stopping.err, "hawserd is gone (it is stopping)")) << stopping.err;
  daemon_.end_of_events = grpc::Status(grpc::UNAVAILABLE, "Socket closed");
  EXPECT_EQ(ctl({"events", "--follow"}).code, ExitCode::kUnreachable);
  daemon_.end_of_events = grpc::Status(grpc::NOT_FOUND, "no such service");
  EXPECT_EQ(ctl({"events", "--follow"}).code, ExitCode::kFailed);
  daemon_.end_of_events = {};
  daemon_.holds = true;
  EXPECT_EQ(ctl({"events", "--follow", "--timeout", "0.3"}).code, ExitCode::kTimedOut);
}

// --- views ---------------------------------------------------------------------------------------

TEST_F(Control, BackendsSayWhenTheirStateEndsAndWhatTheyWeighNow) {
  rpc::BackendsReply reply = two_backends();
  EXPECT_FALSE(contains(backends_view(reply, kPlainPaint, kNow), "ENDS"));
  rpc::BackendRow& starting = *reply.mutable_backends(0);
  starting.set_until_unix(kNow + 600);
  starting.set_weight_now(35);
  starting.set_agent("up");
  starting.set_agent_percent(70);
  starting.set_agent_result("up 70%");
  rpc::BackendRow& draining = *reply.mutable_backends(1);
  draining.set_until_unix(kNow + 1200);
  draining.set_sessions_released(0.618);
  draining.set_weight_now(50);
  draining.set_ejections(3);
  const std::string text = backends_view(reply, kPlainPaint, kNow);
  for (const char* part :
       {"100 (35 now)", "08:10:00 UTC ", "50 (file 100)", "08:20:00 UTC, 62 % of sessions let go",
        "up 70 %: up 70%", "EJECTIONS"}) {
    EXPECT_TRUE(contains(text, part)) << part << " is not in\n" << text;
  }
  draining.set_flows_released(0.25);
  EXPECT_TRUE(contains(backends_view(reply, kPlainPaint, kNow + 1300), ", 25 % of flows ended"));
  draining.set_keeps_flows(true);
  EXPECT_TRUE(contains(backends_view(reply, kPlainPaint, kNow + 1300), ", flows kept"));
}

TEST_F(Control, ServicesSayWhatTheyDoWhenBackendsComeFailAndLeave) {
  rpc::ServiceRow& row = *daemon_.services.mutable_services(0);
  row.set_min_ready("1");
  row.set_on_panic("refuse");
  row.set_passive("off");
  const std::string off = ctl({"services"}).out;
  EXPECT_TRUE(contains(off,
                       "SERVICE  SLOW START  GUARDS       ON PANIC  PASSIVE\n"
                       "web             off  min_ready 1  refuse    off\n"))
      << off;
  row.set_slow_start_seconds(90);
  row.set_max_draining("25 %");
  row.set_state("panic");
  row.set_panic_since_unix(kNow - 200);
  row.set_backends_ejected(1);
  const std::string text = ctl({"services"}).out;
  for (const char* part : {"90s", "max_draining 25 %, min_ready 1", "PANIC SINCE", "3 min ago"}) {
    EXPECT_TRUE(contains(text, part)) << part << " is not in\n" << text;
  }
}

TEST_F(Control, HistoryTellsReloadsAndForce) {
  rpc::HistoryRow& forced = *daemon_.history.add_history();
  forced.set_service("web");
  forced.set_backend("b1");
  forced.set_field("mode");
  forced.set_before("ready");
  forced.set_after("drain");
  forced.set_forced(true);
  rpc::HistoryRow& reload = *daemon_.history.add_history();
  reload.set_field("reload");
  reload.set_after("3 changes");
  const std::string text = ctl({"history"}).out;
  EXPECT_TRUE(contains(text, "web/b1 mode ready -> drain (forced)")) << text;
  EXPECT_TRUE(contains(text, "reload: 3 changes")) << text;
}

}  // namespace
}  // namespace hawser::ctl
