// Tests of hawserctl's verbs against a gRPC server in the same process, on a real Unix socket, with
// canned replies: output, JSON and exit codes.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "hawserctl_server_fixture.h"

namespace hawser::ctl {
namespace {

TEST_F(HawserctlServer, StatusExitsZeroUnlessChecked) {
  daemon_.status = bad_status();
  const Ran ran = ctl({"status"});
  EXPECT_EQ(ran.code, ExitCode::kOk);
  EXPECT_TRUE(ran.out.starts_with("CRITICAL")) << ran.out;
  EXPECT_TRUE(contains(ran.out, "web      10.0.0.1:80")) << ran.out;
  EXPECT_EQ(ctl({"status", "--check"}).code, ExitCode::kFailed);
  daemon_.status = good_status();
  EXPECT_EQ(ctl({"status", "--check"}).code, ExitCode::kOk);
  EXPECT_EQ(ctl_json({"status"})["verdict"], "ok");
}

TEST_F(HawserctlServer, ListsAreTablesOrJson) {
  EXPECT_TRUE(contains(ctl({"services"}).out, "degraded"));
  EXPECT_EQ(ctl_json({"services"})["services"][0]["backends_serving"], 1);
  EXPECT_TRUE(contains(ctl({"backends"}).out, "web/b2"));
  EXPECT_EQ(ctl_json({"backends"})["backends"][1]["reason"], "disk swap");
  EXPECT_TRUE(contains(ctl({"counters"}).out, "drop_no_service  drop   12.3 k"));
  EXPECT_EQ(ctl_json({"counters"})["verdicts"][0]["packets"], 12345);
  EXPECT_TRUE(contains(ctl({"version"}).out, "dataplane  0.1.0"));
  EXPECT_EQ(ctl_json({"version"})["hawserd"], "0.1.0");
}

TEST_F(HawserctlServer, BackendsTakesAServiceOrABackend) {
  EXPECT_EQ(ctl({"backends", "web"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.last_backends.service(), "web");
  EXPECT_EQ(daemon_.last_backends.backend(), "");
  EXPECT_EQ(ctl({"backends", "b2", "--service", "web"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.last_backends.service(), "web");
  EXPECT_EQ(daemon_.last_backends.backend(), "b2");
  EXPECT_EQ(ctl({"backends", "--service", "web"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.last_backends.backend(), "");
  EXPECT_EQ(ctl({"backends", "web/b1", "--service", "dns"}).code, ExitCode::kUsage);
  EXPECT_EQ(ctl({"backends", "web/b1"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.last_backends.service(), "web");
  EXPECT_EQ(daemon_.last_backends.backend(), "b1");
}

TEST_F(HawserctlServer, FlowsJoinsTheStreamAndPassesTheFilters) {
  daemon_.truncated = true;
  const Ran ran = ctl({"flows", "--backend", "web/b1", "--client", "192.0.2.0/24", "--limit", "3"});
  EXPECT_EQ(ran.code, ExitCode::kOk);
  EXPECT_TRUE(contains(ran.out, "192.0.2.2:4000")) << ran.out;
  EXPECT_TRUE(contains(ran.err, "more flows than 3")) << ran.err;
  EXPECT_EQ(daemon_.last_flows.service(), "web");
  EXPECT_EQ(daemon_.last_flows.backend(), "b1");
  EXPECT_EQ(daemon_.last_flows.client(), "192.0.2.0/24");
  EXPECT_EQ(daemon_.last_flows.limit(), 3U);
  const Json json = ctl_json({"flows"});
  EXPECT_EQ(json["flows"].size(), 3U);
  EXPECT_EQ(json["truncated"], true);
  EXPECT_EQ(ctl({"flows", "--service", "a", "--backend", "b/c"}).code, ExitCode::kUsage);
}

TEST_F(HawserctlServer, WeightSendsAllAndShowsTheChange) {
  answer_change("weight", "100", "50", 18);
  const Ran ran = ctl({"weight", "web/b1", "50", "--reason", "new kernel"});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_EQ(ran.out, "web/b1: weight 100 -> 50\nconfirmed by the dataplane, epoch 18\n");
  EXPECT_EQ(daemon_.last_weight.service(), "web");
  EXPECT_EQ(daemon_.last_weight.backend(), "b1");
  EXPECT_EQ(daemon_.last_weight.weight(), 50U);
  EXPECT_EQ(daemon_.last_weight.author(), "ada");
  EXPECT_EQ(daemon_.last_weight.reason(), "new kernel");
  EXPECT_FALSE(daemon_.last_weight.dry_run());
  EXPECT_EQ(ctl({"weight", "b1", "--file", "--dry-run"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.last_weight.service(), "");
  EXPECT_TRUE(daemon_.last_weight.to_file());
  EXPECT_TRUE(daemon_.last_weight.dry_run());
}

TEST_F(HawserctlServer, AChangeThatWasSoAlreadySucceeds) {
  const Ran ran = ctl({"ready", "web/b1"});
  EXPECT_EQ(ran.code, ExitCode::kOk);
  EXPECT_EQ(ran.out, "web/b1: mode is ready already; nothing to change\n");
  EXPECT_EQ(daemon_.last_mode.mode(), rpc::READY);
  EXPECT_EQ(ctl_json({"maintenance", "web/b1"})["changed"], false);
  EXPECT_EQ(daemon_.last_mode.mode(), rpc::MAINTENANCE);
}

TEST_F(HawserctlServer, WaitReturnsWhenTheDataplaneConfirmed) {
  answer_change("weight", "100", "50", 0);
  daemon_.change.set_note("the dataplane is not connected; stored");
  daemon_.confirm_after = 2;
  const Json json = ctl_json({"weight", "b1", "50", "--wait"});
  EXPECT_EQ(json["confirmed"], true);
  EXPECT_EQ(json["epoch"], 17);
  EXPECT_EQ(json["note"], "");
  EXPECT_EQ(daemon_.status_polls, 3U);
}

TEST_F(HawserctlServer, WaitTimesOutWithFour) {
  answer_change("weight", "100", "50", 0);
  daemon_.confirm_after = 1'000'000;
  const Ran ran = ctl({"weight", "b1", "50", "--wait", "--timeout", "0.3"});
  EXPECT_EQ(ran.code, ExitCode::kTimedOut);
  EXPECT_TRUE(contains(ran.err, "has not confirmed it yet")) << ran.err;
}

TEST_F(HawserctlServer, WaitGoesOnWhereHawserdStoppedWaiting) {
  daemon_.answer = grpc::Status(grpc::DEADLINE_EXCEEDED, "not confirmed in time");
  EXPECT_EQ(ctl({"weight", "b1", "50"}).code, ExitCode::kTimedOut);
  const Ran ran = ctl({"weight", "b1", "50", "--wait"});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_TRUE(contains(ran.out, "b1: weight unknown -> 50")) << ran.out;
}

TEST_F(HawserctlServer, DrainWaitsForTheLastFlow) {
  answer_change("mode", "ready", "drain", 18);
  daemon_.flows_left = {7, 3, 0, 0};
  const Ran ran = ctl({"drain", "b1", "--wait"});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_EQ(ran.out,
            "web/b1: mode ready -> drain\nconfirmed by the dataplane, epoch 18\n"
            "web/b1: no flows left\n");
  EXPECT_EQ(daemon_.backend_polls, 4U);
  EXPECT_EQ(daemon_.last_backends.service(), "web");
}

TEST_F(HawserctlServer, DrainDoesNotTakeAnUnansweredQuestionForNoFlows) {
  answer_change("mode", "ready", "drain", 18);
  daemon_.flows_left = {9, 9, 9, 0, 0};
  daemon_.counters_fail = 3;
  EXPECT_EQ(ctl({"drain", "b1", "--wait"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.counter_polls, 5U);
}

TEST_F(HawserctlServer, DrainTimesOutWhenFlowsRemain) {
  answer_change("mode", "ready", "drain", 18);
  daemon_.flows_left = {7};
  const Ran ran = ctl({"drain", "b1", "--wait", "--timeout", "0.3"});
  EXPECT_EQ(ran.code, ExitCode::kTimedOut);
  EXPECT_TRUE(contains(ran.err, "web/b1 still has 7 flows")) << ran.err;
}

TEST_F(HawserctlServer, DrainFailsWhenSomebodyEndsIt) {
  answer_change("mode", "ready", "drain", 18);
  daemon_.flows_left = {7};
  daemon_.state = "ready";
  const Ran ran = ctl({"drain", "b1", "--wait"});
  EXPECT_EQ(ran.code, ExitCode::kFailed);
  EXPECT_TRUE(contains(ran.err, "somebody ended the drain")) << ran.err;
}

TEST_F(HawserctlServer, DrainDoesNotTakeALostDataplaneForNoFlows) {
  answer_change("mode", "ready", "drain", 0);
  daemon_.flows_left = {0};
  daemon_.status.set_dataplane_connected(false);
  daemon_.status.set_dataplane_error("connection refused");
  const Ran ran = ctl({"drain", "b1", "--wait", "--timeout", "0.3"});
  EXPECT_EQ(ran.code, ExitCode::kTimedOut);
  EXPECT_TRUE(contains(ran.err, "connection refused")) << ran.err;
}

TEST_F(HawserctlServer, ADryRunNeverWaits) {
  answer_change("mode", "ready", "drain", 0);
  daemon_.change.set_dry_run(true);
  daemon_.flows_left = {7};
  const Ran ran = ctl({"drain", "b1", "--wait", "--dry-run"});
  EXPECT_EQ(ran.code, ExitCode::kOk);
  EXPECT_TRUE(contains(ran.out, "would change web/b1: mode ready -> drain")) << ran.out;
  EXPECT_EQ(daemon_.backend_polls, 0U);
}

TEST_F(HawserctlServer, ErrorsKeepHawserdsWordsAndTheirExitCode) {
  daemon_.answer = grpc::Status(grpc::NOT_FOUND, R"(no backend "b9" (did you mean "b1"?))");
  Ran ran = ctl({"drain", "b9"});
  EXPECT_EQ(ran.code, ExitCode::kFailed);
  EXPECT_TRUE(contains(ran.err, R"(hawserctl: no backend "b9" (did you mean "b1"?))")) << ran.err;
  daemon_.answer = grpc::Status(grpc::FAILED_PRECONDITION, "refused: weights");
  ran = ctl({"weight", "b1", "5", "--json"});
  EXPECT_EQ(ran.code, ExitCode::kRefused);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(Json::parse(ran.err)["error"]["message"], "refused: weights");
  daemon_.answer = grpc::Status(grpc::INVALID_ARGUMENT, "bad client");
  EXPECT_EQ(ctl({"flows"}).code, ExitCode::kUsage);
  daemon_.answer = grpc::Status(grpc::UNAVAILABLE, "the dataplane is not connected");
  ran = ctl({"counters"});
  EXPECT_EQ(ran.code, ExitCode::kUnreachable);
  EXPECT_TRUE(contains(ran.err, "the dataplane is not connected")) << ran.err;
}

TEST_F(HawserctlServer, ReloadShowsChangesAndRefusals) {
  rpc::Change& change = *daemon_.reload.add_changes();
  change.set_service("web");
  change.set_field("service");
  change.set_after("added");
  daemon_.reload.add_notes("workers takes effect at the next start");
  daemon_.reload.set_epoch(19);
  Ran ran = ctl({"reload"});
  EXPECT_EQ(ran.code, ExitCode::kOk);
  EXPECT_EQ(ran.out,
            "web: service none -> added\nconfirmed by the dataplane, epoch 19\n"
            "note: workers takes effect at the next start\n");
  daemon_.reload.Clear();
  daemon_.reload.add_diagnostics("hawser.toml:3:1: unknown key \"wieght\"");
  ran = ctl({"reload"});
  EXPECT_EQ(ran.code, ExitCode::kFailed);
  EXPECT_TRUE(ran.err.starts_with("hawser.toml:3:1: unknown key")) << ran.err;
  ran = ctl({"reload", "--json"});
  EXPECT_EQ(Json::parse(ran.out)["diagnostics"].size(), 1U);
  EXPECT_EQ(Json::parse(ran.err)["error"]["code"], 1);
}

TEST_F(HawserctlServer, TopOncePrintsOneViewAndCountSeveral) {
  Ran ran = ctl({"top", "--once", "--interval", "0.01"});
  EXPECT_EQ(ran.code, ExitCode::kOk);
  EXPECT_TRUE(ran.out.starts_with("24 flows")) << ran.out;
  ran = ctl({"top", "--count", "3", "--interval", "0.01", "--json", "--sort", "flows"});
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 3);
  EXPECT_EQ(Json::parse(ran.out.substr(0, ran.out.find('\n')))["backends"].size(), 2U);
}

TEST_F(HawserctlServer, AChangeOnTheReadOnlySocketFailsClearly) {
  const Ran ran = ctl({"--socket", read_only_twin(socket_), "drain", "b1"});
  EXPECT_EQ(ran.code, ExitCode::kFailed);
  EXPECT_TRUE(contains(ran.err, "changes need the admin socket")) << ran.err;
  EXPECT_EQ(ctl({"--socket", read_only_twin(socket_), "backends"}).code, ExitCode::kOk);
}

TEST_F(HawserctlServer, ReadingFallsBackToTheReadOnlySocketWhereAdminIsNotPermitted) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody without permission";
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(socket_.c_str(), 0600), 0);
  ASSERT_EQ(::chmod(read_only_twin(socket_).c_str(), 0666), 0);
  ASSERT_EQ(::seteuid(65534), 0);
  const Ran read = ctl({"services"});
  const Ran change = ctl({"drain", "b1"});
  const Ran explicitly = ctl({"--socket", socket_, "services"});
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(read.code, ExitCode::kOk) << read.err;
  EXPECT_EQ(change.code, ExitCode::kFailed);
  EXPECT_TRUE(contains(change.err, "no permission for " + socket_)) << change.err;
  EXPECT_EQ(explicitly.code, ExitCode::kFailed);
}

TEST_F(HawserctlServer, NobodyThereIsFive) {
  const Ran ran = ctl({"--socket", directory_ + "/none.sock", "status"});
  EXPECT_EQ(ran.code, ExitCode::kUnreachable);
  EXPECT_TRUE(contains(ran.err, "hawserd is not reachable at")) << ran.err;
  admin_->Shutdown();
  EXPECT_EQ(ctl({"status"}).code, ExitCode::kUnreachable);
}

}  // namespace
}  // namespace hawser::ctl
