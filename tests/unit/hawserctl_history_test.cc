// Tests of the verb history against a gRPC server with canned replies: what is asked, the table,
// JSON, exit codes.
#include "arguments.h"
#include "hawserctl_server_fixture.h"
#include "views.h"

namespace hawser::ctl {
namespace {

using History = HawserctlServer;

rpc::HistoryRow row(std::uint64_t at_unix, const std::string& author, const std::string& name,
                    const std::string& field, const std::string& before, const std::string& after,
                    const std::string& reason) {
  const BackendName parts = name.empty() ? BackendName{} : split_backend(name);
  rpc::HistoryRow row;
  row.set_at_unix(at_unix);
  row.set_author(author);
  row.set_service(parts.service);
  row.set_backend(parts.backend);
  row.set_field(field);
  row.set_before(before);
  row.set_after(after);
  row.set_reason(reason);
  return row;
}

rpc::HistoryReply three_changes() {
  rpc::HistoryReply reply;
  *reply.add_history() = row(kNow - 200, "ada", "web/b1", "mode", "ready", "drain", "disk swap");
  *reply.add_history() = row(kNow - 86400, "bob", "", "cookie_key", "", "0", "");
  reply.mutable_history(1)->set_forced(true);
  *reply.add_history() = row(kNow - 90000, "hawserd", "old/b9", "weight", "50", "", "it is gone");
  return reply;
}

TEST_F(History, ChangesAreATable) {
  EXPECT_EQ(ctl({"history"}).out, "nothing was changed yet\n");
  daemon_.history = three_changes();
  const Ran ran = ctl({"history"});
  EXPECT_EQ(ran.code, ExitCode::kOk);
  EXPECT_EQ(ran.out,
            "WHEN         UTC                  WHO      WHAT                           WHY\n"
            "3 min ago    2027-01-15 07:56:40  ada      web/b1 mode ready -> drain     disk swap\n"
            "1 d ago      2027-01-14 08:00:00  bob      cookie_key none -> 0 (forced)  -\n"
            "1 d 1 h ago  2027-01-14 07:00:00  hawserd  old/b9 weight 50 -> none       "
            "it is gone\n");
  EXPECT_EQ(ran.err, "");
}

TEST_F(History, JsonHasTheFieldsAsTheyAre) {
  daemon_.history = three_changes();
  const Json json = ctl_json({"history"});
  ASSERT_EQ(json["history"].size(), 3U);
  EXPECT_EQ(json["history"][0]["at_unix"], kNow - 200);
  EXPECT_EQ(json["history"][0]["author"], "ada");
  EXPECT_EQ(json["history"][0]["service"], "web");
  EXPECT_EQ(json["history"][0]["backend"], "b1");
  EXPECT_EQ(json["history"][0]["before"], "ready");
  EXPECT_EQ(json["history"][1]["service"], "");
  EXPECT_EQ(json["history"][2]["after"], "");
  EXPECT_EQ(json["truncated"], false);
}

TEST_F(History, FiltersAndTheLimitAreSent) {
  struct Row {
    std::vector<std::string> args;
    std::string service;
    std::string backend;
    std::uint32_t limit;
  };
  const std::vector<Row> rows{
      {{}, "", "", 20},
      {{"--service", "web"}, "web", "", 20},
      {{"--backend", "web/b1"}, "web", "b1", 20},
      {{"--backend", "b1", "--limit", "1"}, "", "b1", 1},
      {{"--service", "web", "--backend", "b1"}, "web", "b1", 20},
      {{"--service", "web", "--backend", "web/b1", "--limit", "1000"}, "web", "b1", 1000},
  };
  for (const Row& row : rows) {
    std::vector<std::string> args{"history"};
    args.insert(args.end(), row.args.begin(), row.args.end());
    EXPECT_EQ(ctl(args).code, ExitCode::kOk);
    EXPECT_EQ(daemon_.last_history.service(), row.service);
    EXPECT_EQ(daemon_.last_history.backend(), row.backend);
    EXPECT_EQ(daemon_.last_history.limit(), row.limit);
  }
}

TEST_F(History, MistakesAreUsageErrors) {
  struct Row {
    std::vector<std::string> args;
    std::string words;
  };
  const std::vector<Row> rows{
      {{"history", "--limit", "0"}, "--limit \"0\" must be"},
      {{"history", "--limit", "1001"}, "1000"},
      {{"history", "--limit", "all"}, "--limit \"all\" must be"},
      {{"history", "web"}, "web"},
      {{"history", "--backend", "web/"}, "must be SERVICE/BACKEND"},
      {{"history", "--service", ""}, "must not be empty"},
      {{"history", "--service", "dns", "--backend", "web/b1"},
       "--service dns and --backend web/b1 exclude each other"},
  };
  for (const Row& row : rows) {
    const Ran ran = ctl(row.args);
    EXPECT_EQ(ran.code, ExitCode::kUsage) << row.words;
    EXPECT_TRUE(contains(ran.err, row.words)) << ran.err;
  }
}

TEST_F(History, OlderChangesAreMentionedToPeople) {
  daemon_.history = three_changes();
  daemon_.history.set_truncated(true);
  EXPECT_EQ(
      ctl({"history", "--limit", "3"}).err,
      "hawserctl: there are older changes than these 3: raise --limit, or narrow the filter\n");
  EXPECT_EQ(ctl({"history", "--limit", "1000"}).err,
            "hawserctl: there are older changes than these 1000: narrow the filter\n");
  const Ran json = ctl({"history", "--json"});
  EXPECT_EQ(json.err, "");
  EXPECT_EQ(Json::parse(json.out, nullptr, false)["truncated"], true);
}

TEST_F(History, AnUnknownNameIsExitCodeOne) {
  daemon_.answer = grpc::Status(grpc::NOT_FOUND, "there is no service \"wbe\"");
  const Ran ran = ctl({"history", "--service", "wbe"});
  EXPECT_EQ(ran.code, ExitCode::kFailed);
  EXPECT_EQ(ran.out, "");
  EXPECT_TRUE(contains(ran.err, "there is no service \"wbe\"")) << ran.err;
}

TEST_F(History, TheReadOnlySocketWillDo) {
  daemon_.history = three_changes();
  const Ran ran = ctl({"--socket", read_only_twin(socket_), "history"});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_TRUE(contains(ran.out, "disk swap"));
}

// Whatever hawserd says, a terminal is not steered, and no moment is beyond the calendar.
TEST(HistoryView, OddRowsAreShownHarmlessly) {
  rpc::HistoryReply reply;
  *reply.add_history() = row(0, "a\x1b[2J", "web/b1", "mode", "ready", "drain", "x\ny");
  *reply.add_history() = row(UINT64_MAX, "ada", "web/b1", "mode", "ready", "drain", "");
  reply.add_history()->set_service("web");
  EXPECT_EQ(history_view(reply, Paint(false), kNow),
            "WHEN      UTC  WHO    WHAT                        WHY\n"
            "-         -    a?[2J  web/b1 mode ready -> drain  x?y\n"
            "just now  -    ada    web/b1 mode ready -> drain  -\n"
            "-         -    -      web  none -> none           -\n");
}

}  // namespace
}  // namespace hawser::ctl
