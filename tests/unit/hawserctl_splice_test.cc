// Tests of the verbs of spliced services against a gRPC server with canned replies: keys, why,
// trace, and what counters adds.
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

#include "hawserctl_server_fixture.h"
#include "request_head.h"
#include "units.h"

namespace hawser::ctl {
namespace {

class Splice : public HawserctlServer {
 protected:
  void SetUp() override {
    HawserctlServer::SetUp();
    rpc::ServiceRow& row = *daemon_.services.mutable_services(0);
    row.set_forward("splice");
    row.set_protocol("http");
  }
  rpc::ServiceRow& service() { return *daemon_.services.mutable_services(0); }
};

rpc::KeysReply two_keys() {
  rpc::KeysReply reply;
  rpc::KeyRow& first = *reply.add_keys();
  first.set_id(4);
  first.set_use("signs");
  first.set_since_unix(kNow - 200);
  first.set_author("ada");
  first.set_reason("quarterly");
  rpc::KeyRow& second = *reply.add_keys();
  second.set_id(3);
  second.set_use("counts");
  second.set_since_unix(kNow - 86400);
  second.set_author("hawserd");
  second.set_reason("the first key");
  reply.set_next_rotation_unix(kNow + 780);
  return reply;
}

constexpr const char* kTwoKeys =
    "KEY  USE     SINCE      BY       WHY\n"
    "  4  signs   3 min ago  ada      quarterly\n"
    "  3  counts  1 d ago    hawserd  the first key\n"
    "the next rotation unpins nobody in 13 min or later\n";

// --- keys ----------------------------------------------------------------------------------------

TEST_F(Splice, KeysAreListed) {
  EXPECT_EQ(ctl({"keys"}).out, "no keys yet: the first one is made when the dataplane connects\n");
  daemon_.keys = two_keys();
  EXPECT_EQ(ctl({"keys"}).out, kTwoKeys);
  const Json json = ctl_json({"keys"});
  EXPECT_EQ(json["keys"][0]["id"], 4);
  EXPECT_EQ(json["keys"][0]["use"], "signs");
  EXPECT_EQ(json["keys"][1]["reason"], "the first key");
  EXPECT_EQ(json["next_rotation_unix"], kNow + 780);
  daemon_.keys.set_next_rotation_unix(0);
  EXPECT_TRUE(contains(ctl({"keys"}).out, "\na rotation unpins nobody now\n"));
}

TEST_F(Splice, ARotationSendsAllAndShowsTheKeys) {
  *daemon_.rotation.mutable_keys() = two_keys();
  daemon_.rotation.set_epoch(18);
  const Ran ran = ctl({"keys", "rotate", "--reason", "quarterly"});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_EQ(ran.out, std::string(kTwoKeys) + "confirmed by the dataplane, epoch 18\n");
  EXPECT_EQ(daemon_.last_rotation.author(), "ada");
  EXPECT_EQ(daemon_.last_rotation.reason(), "quarterly");
  EXPECT_FALSE(daemon_.last_rotation.dry_run());
  EXPECT_FALSE(daemon_.last_rotation.force());
  const Json json = ctl_json({"keys", "rotate", "--force"});
  EXPECT_TRUE(daemon_.last_rotation.force());
  EXPECT_EQ(json["changed"], true);
  EXPECT_EQ(json["confirmed"], true);
  EXPECT_EQ(json["keys"][0]["id"], 4);
  EXPECT_EQ(json["epoch"], 18);
}

TEST_F(Splice, ADryRunAndANoteAreTold) {
  *daemon_.rotation.mutable_keys() = two_keys();
  daemon_.rotation.set_dry_run(true);
  daemon_.rotation.set_note("forced: users are unpinned");
  const Ran ran = ctl({"keys", "rotate", "--dry-run", "--force", "--wait"});
  EXPECT_EQ(ran.out, std::string(kTwoKeys) +
                         "dry run: nothing was changed\nnote: forced: users are unpinned\n");
  EXPECT_TRUE(daemon_.last_rotation.dry_run());
  EXPECT_EQ(daemon_.status_polls, 0U);
  EXPECT_EQ(ctl_json({"keys", "rotate", "--dry-run"})["changed"], false);
}

TEST_F(Splice, ARotationWaitsWhenAsked) {
  *daemon_.rotation.mutable_keys() = two_keys();
  daemon_.rotation.set_note("the dataplane is not connected; stored");
  daemon_.confirm_after = 2;
  EXPECT_EQ(ctl_json({"keys", "rotate"})["confirmed"], false);
  const Json json = ctl_json({"keys", "rotate", "--wait"});
  EXPECT_EQ(json["confirmed"], true);
  EXPECT_EQ(json["epoch"], 17);
  EXPECT_EQ(json["note"], "");
}

TEST_F(Splice, TheGuardIsExitCodeThree) {
  daemon_.answer = grpc::Status(grpc::FAILED_PRECONDITION, "key 4 signs only since then");
  const Ran ran = ctl({"keys", "rotate"});
  EXPECT_EQ(ran.code, ExitCode::kRefused);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "hawserctl: key 4 signs only since then\n");
  EXPECT_TRUE(contains(ctl({"keys", "--help"}).out, "not idempotent"));
}

TEST_F(Splice, KeysAreForEverybodyAndARotationForTheAdminSocket) {
  const std::string read_only = read_only_twin(socket_);
  EXPECT_EQ(ctl({"--socket", read_only, "keys"}).code, ExitCode::kOk);
  EXPECT_EQ(ctl({"--socket", read_only, "why", "web"}).code, ExitCode::kOk);
  const Ran refused = ctl({"--socket", read_only, "keys", "rotate"});
  EXPECT_EQ(refused.code, ExitCode::kFailed);
  EXPECT_TRUE(contains(refused.err, "changes need the admin socket")) << refused.err;
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody without permission";
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(socket_.c_str(), 0600), 0);
  ASSERT_EQ(::chmod(read_only.c_str(), 0666), 0);
  ASSERT_EQ(::seteuid(65534), 0);
  const Ran list = ctl({"keys"});
  const Ran rotate = ctl({"keys", "rotate"});
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(list.code, ExitCode::kOk) << list.err;
  EXPECT_TRUE(contains(rotate.err, "no permission for " + socket_)) << rotate.err;
}

// --- why and trace -------------------------------------------------------------------------------

TEST_F(Splice, WhySaysTheReasonAndThenTheBackend) {
  daemon_.explanation.set_reason("the cookie names b2, which serves");
  daemon_.explanation.set_backend("b2");
  const Ran ran = ctl({"why", "web"});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_EQ(ran.out, "the cookie names b2, which serves\nbackend  web/b2\n");
  daemon_.explanation.clear_backend();
  daemon_.explanation.set_status(403);
  daemon_.explanation.set_reason("rule admin denies it\x1b[2J");
  EXPECT_EQ(ctl({"why", "web"}).out, "rule admin denies it?[2J\nstatus   403\n");
  daemon_.explanation.set_status(0);
  daemon_.explanation.set_reason("no backend serves: the connection is reset");
  EXPECT_EQ(ctl({"why", "web"}).out, "no backend serves: the connection is reset\nbackend  none\n");
}

TEST_F(Splice, TraceShowsEveryStep) {
  daemon_.explanation.set_reason("the cookie names b2, which serves");
  daemon_.explanation.set_backend("b2");
  for (const auto& [name, value] : {std::pair{"rule", "assets"}, std::pair{"cookie", "key 4"}}) {
    path::ExplainStep& step = *daemon_.explanation.add_steps();
    step.set_name(name);
    step.set_value(value);
  }
  EXPECT_EQ(ctl({"trace", "web"}).out,
            "STEP    VALUE\nrule    assets\ncookie  key 4\n\n"
            "the cookie names b2, which serves\nbackend  web/b2\n");
  for (const char* verb : {"why", "trace"}) {
    const Json json = ctl_json({verb, "web"});
    EXPECT_EQ(json["steps"][1]["name"], "cookie");
    EXPECT_EQ(json["steps"][1]["value"], "key 4");
    EXPECT_EQ(json["backend"], "b2");
    EXPECT_EQ(json["status"], 0);
    EXPECT_EQ(json["reason"], "the cookie names b2, which serves");
  }
}

TEST_F(Splice, WhatIsNotSaidHasADefault) {
  ctl({"why", "web"});
  EXPECT_EQ(daemon_.last_explain.service(), "web");
  EXPECT_EQ(daemon_.last_explain.client(), std::string("\xc0\x00\x02\x01", 4));
  EXPECT_EQ(daemon_.last_explain.client_port(), 50000U);
  EXPECT_EQ(daemon_.last_explain.head(), "GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n");
  service().set_address("[2001:db8::80]:8080");
  ctl({"why", "web"});
  EXPECT_EQ(daemon_.last_explain.client(),
            std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16));
  EXPECT_EQ(daemon_.last_explain.head(), "GET / HTTP/1.1\r\nHost: [2001:db8::80]:8080\r\n\r\n");
}

TEST_F(Splice, WhatIsSaidReachesTheDataplane) {
  const Ran ran = ctl({"why", "web", "/cart?x=1", "--client", "198.51.100.7:4711", "--method",
                       "POST", "--host", "shop.example", "--header", "User-Agent: test", "--header",
                       "Accept: */*", "--cookie", "a=1", "--cookie", "hawser=BAE"});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_EQ(daemon_.last_explain.client(), std::string("\xc6\x33\x64\x07", 4));
  EXPECT_EQ(daemon_.last_explain.client_port(), 4711U);
  EXPECT_EQ(daemon_.last_explain.head(),
            "POST /cart?x=1 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: test\r\nAccept: */*\r\n"
            "Cookie: a=1; hawser=BAE\r\n\r\n");
}

TEST_F(Splice, ATlsServiceIsAskedWithAClientHello) {
  service().set_protocol("tls");
  EXPECT_EQ(ctl({"trace", "web", "--sni", "a.example", "--alpn", "h2", "--alpn", "http/1.1"}).code,
            ExitCode::kOk);
  EXPECT_EQ(daemon_.last_explain.head(),
            client_hello("a.example", std::vector<std::string>{"h2", "http/1.1"}));
  EXPECT_EQ(ctl({"why", "web"}).code, ExitCode::kOk);
  EXPECT_EQ(daemon_.last_explain.head(), client_hello("", {}));
  const Ran path = ctl({"why", "web", "/cart"});
  EXPECT_EQ(path.code, ExitCode::kUsage);
  EXPECT_TRUE(contains(path.err, "PATH is for http services, web is tls")) << path.err;
  std::vector<std::string> many{"why", "web"};
  for (int i = 0; i < 2; ++i) many.insert(many.end(), {"--alpn", std::string(200, 'x')});
  const Ran protocols = ctl(many);
  EXPECT_EQ(protocols.code, ExitCode::kUsage);
  EXPECT_TRUE(contains(protocols.err, "have 402 bytes")) << protocols.err;
  service().set_protocol("http");
  const Ran name = ctl({"why", "web", "--sni", "a"});
  EXPECT_EQ(name.code, ExitCode::kUsage);
  EXPECT_TRUE(contains(name.err, "--sni and --alpn are for tls services, web is http")) << name.err;
}

TEST_F(Splice, AHeadFromStandardInputIsSentAsItIs) {
  std::istringstream in("GET / HTTP/1.0\n\n");
  std::ostringstream out;
  std::ostringstream err;
  Console console{.out = out,
                  .err = err,
                  .terminal = false,
                  .no_color = false,
                  .socket = socket_,
                  .author = "ada",
                  .now_unix = [] { return kNow; },
                  .in = in};
  const std::vector<std::string> args{"why", "web", "--file", "-"};
  EXPECT_EQ(run(args, console), ExitCode::kOk) << err.str();
  EXPECT_EQ(daemon_.last_explain.head(), "GET / HTTP/1.0\n\n");
}

TEST_F(Splice, AClientOfAnotherFamilyIsAUsageError) {
  const Ran ran = ctl({"why", "web", "--client", "2001:db8::7"});
  EXPECT_EQ(ran.code, ExitCode::kUsage);
  EXPECT_EQ(ran.err,
            "hawserctl: --client 2001:db8::7 and service web at 10.0.0.1:80 are of different "
            "families: give an IPv4 address\n");
}

TEST_F(Splice, ErrorsKeepHawserdsWords) {
  daemon_.answer = grpc::Status(grpc::NOT_FOUND, "there is no service \"wbe\"");
  Ran ran = ctl({"why", "wbe"});
  EXPECT_EQ(ran.code, ExitCode::kFailed);
  EXPECT_TRUE(contains(ran.err, "there is no service \"wbe\"")) << ran.err;
  daemon_.answer = grpc::Status(grpc::UNAVAILABLE, "the dataplane is not connected: gone");
  ran = ctl({"trace", "web", "--json"});
  EXPECT_EQ(ran.code, ExitCode::kUnreachable);
  EXPECT_EQ(Json::parse(ran.err)["error"]["message"], "the dataplane is not connected: gone");
}

// --- counters ------------------------------------------------------------------------------------

void add(google::protobuf::RepeatedPtrField<path::NamedCounter>& to, const std::string& name,
         std::uint64_t requests, const std::string& help) {
  path::NamedCounter& counter = *to.Add();
  counter.set_name(name);
  counter.set_packets(requests);
  counter.set_help(help);
}

TEST_F(Splice, CountersShowEverySplicedService) {
  path::ServiceCounters& counters = daemon_.spliced;
  counters.set_service("web");
  counters.set_requests(1'234'567);
  counters.set_sessions_new(1200);
  counters.set_sessions_kept(1'200'000);
  counters.set_sessions_moved(7);
  add(*counters.mutable_refusals(), "bad_request", 12, "it is no HTTP");
  add(*counters.mutable_refusals(), "too_large", 0, "above 16 KiB");
  add(*counters.mutable_cookies(), "bad_tag", 3, "forged");
  add(*counters.mutable_rules(), "assets", 900, "no cookie");
  path::Latency& chosen = *counters.add_latencies();
  chosen.set_name("chosen");
  chosen.set_requests(1'234'567);
  chosen.set_p50_microseconds(3);
  chosen.set_p90_microseconds(12);
  chosen.set_p99_microseconds(1250);
  chosen.set_maximum_microseconds(2'000'000);
  counters.add_latencies()->set_name("answered");
  const std::string text = ctl({"counters"}).out;
  EXPECT_TRUE(contains(text,
                       "\n\nSERVICE  REQUESTS  NEW SESSIONS   KEPT  MOVED\n"
                       "web         1.2 M          1200  1.2 M      7\n"
                       "\n"
                       "SERVICE  WHAT         NAME         REQUESTS  MEANING\n"
                       "web      refused      bad_request        12  it is no HTTP\n"
                       "web      cookie void  bad_tag             3  forged\n"
                       "web      rule         assets            900  no cookie\n"
                       "\n"
                       "SERVICE  TIME    REQUESTS   P50    P90     P99    MAX\n"
                       "web      chosen     1.2 M  3 us  12 us  1.2 ms  2.0 s\n"))
      << text;
  const std::string all = ctl({"counters", "--all"}).out;
  EXPECT_TRUE(contains(all, "web      refused      too_large           0  above 16 KiB\n")) << all;
  EXPECT_TRUE(contains(all, "web      answered         0  0 us   0 us    0 us   0 us\n")) << all;
  const Json json = ctl_json({"counters"});
  EXPECT_EQ(json["services"][0]["sessions_kept"], 1'200'000);
  EXPECT_EQ(json["services"][0]["refusals"][1]["name"], "too_large");
  EXPECT_EQ(json["services"][0]["latencies"][0]["p99_microseconds"], 1250);
}

TEST_F(Splice, WithoutSplicedServicesCountersAreAsBefore) {
  const std::string text = ctl({"counters"}).out;
  EXPECT_FALSE(contains(text, "SERVICE")) << text;
  EXPECT_TRUE(text.starts_with("COUNTER")) << text;
}

TEST(Microseconds, HaveTheUnitThatFits) {
  EXPECT_EQ(human_microseconds(0), "0 us");
  EXPECT_EQ(human_microseconds(999), "999 us");
  EXPECT_EQ(human_microseconds(1000), "1.0 ms");
  EXPECT_EQ(human_microseconds(999'949), "999.9 ms");
  EXPECT_EQ(human_microseconds(999'950), "1.0 s");  // never 1000.0 ms
  EXPECT_EQ(human_microseconds(61'000'000), "61.0 s");
}

}  // namespace
}  // namespace hawser::ctl
