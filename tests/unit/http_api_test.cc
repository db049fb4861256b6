// The JSON routes and the page over real sockets: what gRPC says, the filters, the refusals.
#include "http_api.h"

#include <nlohmann/json.hpp>

#include "controller_fixture.h"
#include "http_client.h"
#include "http_page.h"
#include "http_routes.h"

namespace hawser::control {
namespace {

using nlohmann::json;

class HttpApiTest : public ControllerTest {
 protected:
  void SetUp() override {
    ControllerTest::SetUp();
    Result<std::unique_ptr<HttpServer>> started = HttpServer::start(
        {.port = 0},
        {*controller_, DataplaneQuery(scratch_.path() + "/dataplane.sock"), watch_, totals_},
        http_routes());
    ASSERT_TRUE(started.has_value()) << started.error().message;
    server_ = *std::move(started);
  }
  void TearDown() override {
    server_.reset();
    ControllerTest::TearDown();
  }
  std::string ask(const std::string& path) { return get(server_->port(), path); }
  json told(const std::string& path) {
    const std::string answer = ask(path);
    EXPECT_EQ(status_of(answer), 200) << answer;
    EXPECT_NE(answer.find("Content-Type: application/json\r\n"), std::string::npos) << answer;
    return json::parse(body_of(answer), nullptr, false);
  }

  Watch watch_;
  ScrapeTotals totals_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpApiTest, TellsWhatTheControllerKnows) {
  dataplane_->connect(1);
  dataplane_->running();
  const json status = told("/api/v1/status");
  EXPECT_EQ(status["version"], HAWSER_VERSION);
  EXPECT_EQ(status["services"], 2);
  EXPECT_EQ(status["backends"], 3);
  const json services = told("/api/v1/services")["services"];
  ASSERT_EQ(services.size(), 2U);
  EXPECT_EQ(services[0]["name"], "web");
  EXPECT_EQ(static_cast<int>(services[0].size()), v1::ServiceRow::descriptor()->field_count());
  const json backends = told("/api/v1/backends?service=web&backend=b2")["backends"];
  ASSERT_EQ(backends.size(), 1U);
  EXPECT_EQ(backends[0]["address"], "10.0.0.12:80");
  EXPECT_EQ(backends[0]["flows"], 0);
  const json sparse = told("/api/v1/backends?service=web&backend=b2&defaults=no")["backends"];
  EXPECT_EQ(sparse[0].count("flows"), 0U);
}

TEST_F(HttpApiTest, TellsEventsFromANumberOn) {
  dataplane_->connect(1);
  dataplane_->running();
  ASSERT_EQ(controller_->set_weight({.service = "web", .backend = "b1", .weight = 7}).failure,
            Failure::kNone);
  const json all = told("/api/v1/events");
  const std::size_t count = all["events"].size();
  ASSERT_GE(count, 2U);
  EXPECT_EQ(all["newest"], all["events"][count - 1]["sequence"]);
  EXPECT_EQ(all["started_unix"], now_.load());
  const std::uint64_t newest = all["newest"];
  const std::string before = std::to_string(newest - 1);
  EXPECT_EQ(told("/api/v1/events?after=" + before)["events"].size(), 1U);
  EXPECT_EQ(told("/api/v1/events?after=" + std::to_string(newest))["events"].size(), 0U);
  EXPECT_EQ(told("/api/v1/events?last=1")["events"][0]["sequence"], newest);
  // A number of the hawserd before this one.
  EXPECT_EQ(told("/api/v1/events?after=" + std::to_string(newest + 5))["events"].size(), count);
  const json of_b1 = told("/api/v1/events?service=web&backend=b1")["events"];
  ASSERT_FALSE(of_b1.empty());
  for (const json& event : of_b1) EXPECT_EQ(event["backend"], "b1");
}

TEST_F(HttpApiTest, OverviewIsAllOfIt) {
  dataplane_->connect(1);
  dataplane_->running();
  const json all = told("/api/v1/overview");
  EXPECT_EQ(all["services"], told("/api/v1/services")["services"]);
  EXPECT_EQ(all["backends"], told("/api/v1/backends")["backends"]);
  EXPECT_EQ(all["events"], told("/api/v1/events")["events"]);
  EXPECT_EQ(all["sessions"], json::array());
  EXPECT_EQ(all["status"]["backends"], 3);
  EXPECT_EQ(all["newest_event"], told("/api/v1/events")["newest"]);
}

TEST_F(HttpApiTest, RefusesWithWords) {
  const auto refused = [&](const std::string& path, int status, const std::string& part) {
    const std::string answer = ask(path);
    EXPECT_EQ(status_of(answer), status) << path;
    EXPECT_NE(body_of(answer).find(part), std::string::npos) << path << ": " << body_of(answer);
  };
  refused("/api/v1/services?service=wbe", 404, "\"web\"");
  refused("/api/v1/backends?service=web&backend=b9", 404, "b9");
  refused("/api/v1/events?service=wbe", 404, "\"web\"");
  for (const char* number : {"", "-1", "+1", "1x", "1.5", "18446744073709551616", "%20"}) {
    refused(std::string("/api/v1/events?after=") + number, 400, "after");
  }
  refused("/api/v1/status?defaults=perhaps", 400, "defaults");
  refused("/api/v1/services?service=web&service=api", 400, "twice");
  refused("/api/v1", 404, "");
  refused("/api/v2/status", 404, "");
}

TEST_F(HttpApiTest, ThePageHasAPolicyOfItsOwn) {
  const std::string answer = ask("/");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_EQ(body_of(answer), kStatusPage);
  EXPECT_NE(answer.find("Content-Security-Policy: " + std::string(kStatusPagePolicy) + "\r\n"),
            std::string::npos);
  EXPECT_NE(kStatusPagePolicy.find("script-src 'sha256-"), std::string_view::npos);
  EXPECT_EQ(kStatusPagePolicy.find("unsafe"), std::string_view::npos);
  // Whatever is no page may load nothing.
  EXPECT_NE(ask("/api/v1/status").find("Content-Security-Policy: default-src 'none'; frame"),
            std::string::npos);
}

TEST_F(HttpApiTest, ManyAtOnceAreAllAnswered) {
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 12; ++i) {
    clients.emplace_back([&] {
      for (int j = 0; j < 10; ++j) good += status_of(ask("/api/v1/overview")) == 200;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good.load(), 120);
}

}  // namespace
}  // namespace hawser::control
