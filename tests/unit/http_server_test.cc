// The HTTP server over real sockets: whom it answers, what it refuses, whom it does not wait for.
#include "http_server.h"

#include <atomic>
#include <stdexcept>

#include "controller_fixture.h"
#include "hawser/base/limits.h"
#include "http_client.h"
#include "http_host.h"
#include "http_routes.h"

namespace hawser::control {
namespace {

constexpr std::size_t kLong = 3'000'000;

const std::array kRoutes{
    HttpRoute{"/short", "text/plain",
              [](const HttpSources&, const HttpRequest&, HttpReply& reply) { reply.write("hi"); }},
    HttpRoute{"/long", "text/plain",
              [](const HttpSources&, const HttpRequest&, HttpReply& reply) {
                const std::string line(99, 'x');
                for (std::size_t sent = 0; sent < kLong; sent += 100) {
                  if (!reply.write(line + "\n")) return;
                }
              }},
    HttpRoute{"/values", "text/plain",
              [](const HttpSources&, const HttpRequest& request, HttpReply& reply) {
                for (const std::string& value : request.values("a")) reply.write(value + ";");
              }},
    HttpRoute{"/broken", "text/plain",
              [](const HttpSources&, const HttpRequest&, HttpReply& reply) {
                reply.write("half of it");
                throw std::runtime_error("broken on purpose");
              }},
    HttpRoute{"/torn", "text/plain",
              [](const HttpSources&, const HttpRequest&, HttpReply& reply) {
                reply.write(std::string(limits::kHttpPart + 1, 'x'));
                throw std::runtime_error("broken on purpose");
              }},
};

class HttpServerTest : public ControllerTest {
 protected:
  void SetUp() override {
    ControllerTest::SetUp();
    Result<std::unique_ptr<HttpServer>> started =
        HttpServer::start({.port = 0}, sources(), kRoutes);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    server_ = *std::move(started);
  }
  void TearDown() override {
    server_.reset();
    ControllerTest::TearDown();
  }
  HttpSources sources() {
    return {*controller_, DataplaneQuery(scratch_.path() + "/dataplane.sock"), watch_, totals_};
  }
  std::uint16_t port() const { return server_->port(); }

  Watch watch_;
  ScrapeTotals totals_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersGetWithLengthAndCarefulFields) {
  const std::string answer =
      converse(port(), "GET /short HTTP/1.1\r\nHost: 127.0.0.1:9465\r\n\r\n");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_EQ(body_of(answer), "hi");
  for (const char* field :
       {"Content-Type: text/plain\r\n", "Content-Length: 2\r\n", "Cache-Control: no-store\r\n",
        "Content-Security-Policy: default-src 'none';", "X-Content-Type-Options: nosniff\r\n"}) {
    EXPECT_NE(answer.find(field), std::string::npos) << field << " in " << answer;
  }
}

TEST_F(HttpServerTest, AnswersHeadWithoutABody) {
  const std::string answer = converse(port(), "HEAD /short HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_NE(answer.find("Content-Length: 2\r\n"), std::string::npos);
  EXPECT_EQ(body_of(answer), "");
  const std::string of_long = converse(port(), "HEAD /long HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(status_of(of_long), 200);
  EXPECT_EQ(body_of(of_long), "");
}

TEST_F(HttpServerTest, RefusesWhatItDoesNotHave) {
  for (const char* path : {"/", "/shor", "/short/", "/../etc/passwd", "/short%2f", "//short"}) {
    EXPECT_EQ(status_of(get(port(), path)), 404) << path;
  }
}

TEST_F(HttpServerTest, RefusesEveryOtherMethod) {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"}) {
    const std::string answer =
        converse(port(), std::string(method) +
                             " /short HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example"
                             "\r\nAccess-Control-Request-Method: GET\r\n\r\n");
    EXPECT_EQ(status_of(answer), 405) << method;
    EXPECT_NE(answer.find("Allow: GET, HEAD\r\n"), std::string::npos) << method;
    EXPECT_EQ(answer.find("Access-Control"), std::string::npos) << method;
  }
}

TEST_F(HttpServerTest, RefusesForeignHosts) {
  const auto ask = [&](const std::string& fields) {
    return status_of(converse(port(), "GET /short HTTP/1.1\r\n" + fields + "\r\n"));
  };
  EXPECT_EQ(ask("Host: evil.example\r\n"), 421);
  EXPECT_EQ(ask("Host: localhost.evil.example:9465\r\n"), 421);
  EXPECT_EQ(ask("Host: localhost:80\r\n"), 200);
  EXPECT_EQ(ask("host: [::1]:80\r\n"), 200);
  EXPECT_EQ(ask(""), 400);
  EXPECT_EQ(ask("Host: localhost\r\nHost: evil.example\r\n"), 400);
  // Civetweb closes without a word.
  EXPECT_EQ(converse(port(), "GET http://evil.example/short HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            "");
}

TEST_F(HttpServerTest, RefusesWhatIsTooLongOrNoRequest) {
  const std::string much(limits::kMaxHttpRequestBytes, 'a');
  EXPECT_EQ(status_of(get(port(), "/" + much)), 400);
  EXPECT_EQ(status_of(converse(
                port(), "GET /short HTTP/1.1\r\nHost: localhost\r\nX: " + much + "\r\n\r\n")),
            400);
  EXPECT_EQ(status_of(converse(port(), "\x16\x03\x01\x02\r\n\r\n")), 400);
}

TEST_F(HttpServerTest, SendsLongAnswersInChunks) {
  const std::string answer = converse(port(), "GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(answer.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  std::string chunks = body_of(answer);
  std::size_t whole = 0;
  std::size_t at = 0;
  for (;;) {
    const std::size_t end = chunks.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    const std::size_t size = std::stoul(chunks.substr(at, end - at), nullptr, 16);
    at = end + 2 + size + 2;
    ASSERT_LE(at, chunks.size());
    if (size == 0) break;
    whole += size;
  }
  EXPECT_EQ(whole, kLong);
  EXPECT_EQ(at, chunks.size());
  // A client of HTTP/1.0 gets the bytes alone.
  EXPECT_EQ(body_of(get(port(), "/long")).size(), kLong);
}

TEST_F(HttpServerTest, DecodesTheQuery) {
  EXPECT_EQ(body_of(get(port(), "/values?a=1&b=2&a=x%20y+z&a=")), "1;x y z;;");
  EXPECT_EQ(body_of(get(port(), "/values?ab=1")), "");
  EXPECT_EQ(body_of(get(port(), "/values")), "");
}

TEST_F(HttpServerTest, SaysWhenAnAnswerCannotBeMade) {
  EXPECT_EQ(status_of(get(port(), "/broken")), 500);
  const std::string torn = converse(port(), "GET /torn HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(status_of(torn), 200);
  EXPECT_EQ(torn.find("\r\n0\r\n\r\n"), std::string::npos) << "looks whole";
}

TEST_F(HttpServerTest, AnswersManyAtOnce) {
  constexpr unsigned kClients = 40;
  constexpr unsigned kRequests = 25;
  std::atomic<unsigned> good{0};
  std::vector<std::thread> clients;
  for (unsigned i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      for (unsigned j = 0; j < kRequests; ++j) good += body_of(get(port(), "/short")) == "hi";
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good.load(), kClients * kRequests);
}

TEST_F(HttpServerTest, SlowClientsHoldNobodyUpAndAreCutOff) {
  // These send half a request, those take nothing of an answer that fits no buffer of the kernel.
  std::vector<std::unique_ptr<HttpConnection>> slow;
  for (unsigned i = 0; i < limits::kHttpThreads - 2; ++i) {
    slow.push_back(std::make_unique<HttpConnection>(port()));
    slow.back()->send(i % 2 == 0 ? "GET /short HTTP/1.1\r\nHost:"
                                 : "GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(body_of(get(port(), "/short")), "hi");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  EXPECT_EQ(status_of(slow[0]->receive()), 400);
  EXPECT_LT(std::chrono::steady_clock::now() - begin,
            std::chrono::milliseconds(limits::kHttpTimeoutMilliseconds + 2000));
}

TEST_F(HttpServerTest, SaysWhyItCannotListen) {
  const Result<std::unique_ptr<HttpServer>> second =
      HttpServer::start({.port = port()}, sources(), kRoutes);
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().message.find("127.0.0.1:" + std::to_string(port())), std::string::npos)
      << second.error().message;
  EXPECT_NE(second.error().message.find("in use"), std::string::npos) << second.error().message;
  controller_->note_http(second.error().message);
  const std::vector<std::string> told = problems();
  EXPECT_TRUE(std::any_of(told.begin(), told.end(), [&](const std::string& line) {
    return line.find("warning: hawserd answers no HTTP") == 0;
  }));
}

TEST_F(HttpServerTest, EndsWhileClientsAreConnected) {
  const HttpConnection idle(port());
  const HttpConnection halfway(port());
  halfway.send("GET /short");
  server_.reset();  // does not wait for what they may still send
  EXPECT_EQ(idle.receive(), "");
  static_cast<void>(halfway.receive());  // it is told that it was too slow, or nothing
}

TEST(HttpRoutes, AreDistinctPathsWithTheirTypes) {
  std::set<std::string_view> seen;
  for (const HttpRoute& route : http_routes()) {
    EXPECT_TRUE(seen.insert(route.path).second) << route.path;
    EXPECT_EQ(route.path.front(), '/');
    EXPECT_NE(route.content_type.find('/'), std::string_view::npos) << route.path;
  }
  EXPECT_EQ(seen.count("/healthz"), 1U);
}

TEST(HttpHost, IsAnAddressOfOursOrLocalhost) {
  const net::IpAddress ipv4 = *net::parse_address("192.0.2.10");
  const net::IpAddress ipv6 = *net::parse_address("2001:db8::10");
  for (const char* host : {"192.0.2.10", "192.0.2.10:9465", "127.0.0.1:80", "127.1.2.3",
                           "LocalHost", "localhost:1", "[::1]", "[::1]:9465"}) {
    EXPECT_TRUE(host_is_ours(host, ipv4)) << host;
  }
  EXPECT_TRUE(host_is_ours("[2001:db8:0::10]:9465", ipv6));
  for (const char* host : {"",
                           ":80",
                           "192.0.2.11",
                           "192.0.2.10:80x",
                           "192.0.2.10:9465:1",
                           "localhost.",
                           "local",
                           "localhost.example",
                           "192.0.2.10.example",
                           "::1",
                           "[127.0.0.1]",
                           "[::1",
                           "]",
                           "[]",
                           "[",
                           "2001:db8::10",
                           "[2001:db8::10]",
                           "0x7f.1",
                           "127.1",
                           "2130706433"}) {
    EXPECT_FALSE(host_is_ours(host, ipv4)) << host;
  }
  const net::IpAddress everywhere = *net::parse_address("0.0.0.0");
  EXPECT_TRUE(host_is_ours("198.51.100.7:9465", everywhere));
  EXPECT_TRUE(host_is_ours("[2001:db8::10]", everywhere));
  EXPECT_FALSE(host_is_ours("rebound.example", everywhere));
}

}  // namespace
}  // namespace hawser::control
