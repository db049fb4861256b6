// Health checks against real sockets: what passes, what fails, in which words, and how it counts.
#include "health.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

namespace hawser::control {
namespace {

using std::chrono::seconds;

// Answers every connection on a port of the loopback with the same bytes, then closes it.
class TinyServer {
 public:
  explicit TinyServer(std::string answer)
      : answer_(std::move(answer)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = static_cast<sockaddr*>(static_cast<void*>(&address));
    EXPECT_EQ(bind(listener_, generic, size), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    EXPECT_EQ(getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~TinyServer() {
    stop_ = true;
    thread_.join();
    close(listener_);
  }
  TinyServer(const TinyServer&) = delete;
  TinyServer& operator=(const TinyServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string last_request() {
    const std::lock_guard lock(mutex_);
    return request_;
  }
  void answer(std::string answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }

 private:
  static bool readable(int descriptor, int milliseconds) {
    pollfd entry{.fd = descriptor, .events = POLLIN, .revents = 0};
    return poll(&entry, 1, milliseconds) > 0;
  }

  void run() {
    while (!stop_) {
      if (!readable(listener_, 20)) continue;
      const int client = accept(listener_, nullptr, nullptr);
      if (readable(client, 500)) {
        std::array<char, 4096> buffer{};
        const ssize_t size = recv(client, buffer.data(), buffer.size(), 0);
        const std::lock_guard lock(mutex_);
        if (size > 0) {
          request_.assign(buffer.data(), static_cast<std::size_t>(size));
          send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
        }
      }
      close(client);
    }
  }

  std::mutex mutex_;
  std::string answer_;
  std::string request_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Reports of a checker, as they come.
class Reports {
 public:
  void add(const CheckReport& report) {
    const std::lock_guard lock(mutex_);
    reports_.push_back(report);
    came_.notify_all();
  }
  // The `index`-th report; a failed test after ten seconds.
  CheckReport wait(std::size_t index) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(came_.wait_for(lock, seconds(10), [&] { return reports_.size() > index; }));
    return reports_.size() > index ? reports_[index] : CheckReport{};
  }
  CheckReport wait_for_event(Event event) {
    std::unique_lock lock(mutex_);
    const auto found = [&] {
      for (const CheckReport& report : reports_) {
        if (report.event == event) return true;
      }
      return false;
    };
    EXPECT_TRUE(came_.wait_for(lock, seconds(10), found));
    for (const CheckReport& report : reports_) {
      if (report.event == event) return report;
    }
    return {};
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return reports_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<CheckReport> reports_;
};

CheckTarget target_of(std::uint16_t port, model::CheckType type) {
  CheckTarget target{.service = "web", .backend = "b1", .port = port};
  target.address = *net::parse_address("127.0.0.1");
  target.check.type = type;
  target.check.interval_ms = 50;
  target.check.timeout_ms = 500;
  return target;
}

// The first report on one target.
CheckReport check_once(const CheckTarget& target) {
  Reports reports;
  HealthChecker checker([&](const CheckReport& report) { reports.add(report); });
  checker.set_targets({target});
  return reports.wait(0);
}

// "200 in 3 ms" without the time, which no test can know.
std::string without_time(const std::string& text) {
  return text.substr(0, text.find(" in "));
}

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

TEST(HealthCheck, HttpPassesWithAStatusInRange) {
  TinyServer server(kOk);
  const CheckReport report = check_once(target_of(server.port(), model::CheckType::kHttp));
  EXPECT_TRUE(report.passed);
  EXPECT_EQ(without_time(report.text), "200") << report.text;
}

TEST(HealthCheck, HttpAsksForPathAndHost) {
  TinyServer server(kOk);
  CheckTarget target = target_of(server.port(), model::CheckType::kHttp);
  target.check.http.path = "/up?deep=1";
  target.check.http.host = "web.example";
  EXPECT_TRUE(check_once(target).passed);
  const std::string request = server.last_request();
  EXPECT_EQ(request.rfind("GET /up?deep=1 HTTP/1.1\r\n", 0), 0U) << request;
  EXPECT_NE(request.find("\r\nHost: web.example\r\n"), std::string::npos) << request;
}

TEST(HealthCheck, HttpFailsWithAStatusOutOfRange) {
  TinyServer server("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  const CheckReport report = check_once(target_of(server.port(), model::CheckType::kHttp));
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.text, "503, expected 200 to 399");
}

TEST(HealthCheck, RedirectsAreNotFollowed) {
  TinyServer server(
      "HTTP/1.1 302 Found\r\nLocation: http://10.255.255.1/\r\n"
      "Content-Length: 0\r\n\r\n");
  EXPECT_EQ(without_time(check_once(target_of(server.port(), model::CheckType::kHttp)).text),
            "302");
}

TEST(HealthCheck, HttpLooksForTheBody) {
  TinyServer server(kOk);
  CheckTarget target = target_of(server.port(), model::CheckType::kHttp);
  target.check.http.body = "ell";
  EXPECT_TRUE(check_once(target).passed);
  target.check.http.body = "goodbye";
  const CheckReport report = check_once(target);
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.text, "200, but the body lacks \"goodbye\"");
}

TEST(HealthCheck, ABodyWithoutEndIsReadToTheLimitOnly) {
  TinyServer server("HTTP/1.1 200 OK\r\n\r\nhello" + std::string(200'000, 'x'));
  CheckTarget target = target_of(server.port(), model::CheckType::kHttp);
  target.check.http.body = "hello";
  EXPECT_TRUE(check_once(target).passed);
}

TEST(HealthCheck, WhatIsNoHttpFails) {
  TinyServer server("SSH-2.0-OpenSSH_9.2\r\n");
  const CheckReport report = check_once(target_of(server.port(), model::CheckType::kHttp));
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.text, "the answer is no HTTP/1");
}

TEST(HealthCheck, AnEmptyAnswerFails) {
  TinyServer server("");
  const CheckReport report = check_once(target_of(server.port(), model::CheckType::kHttp));
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.text, "closed without an answer");
}

TEST(HealthCheck, TcpPassesWithAConnection) {
  TinyServer server("");
  const CheckReport report = check_once(target_of(server.port(), model::CheckType::kTcp));
  EXPECT_TRUE(report.passed);
  EXPECT_EQ(without_time(report.text), "connected") << report.text;
}

TEST(HealthCheck, ARefusedConnectionSaysSo) {
  std::uint16_t port = 0;
  {
    const TinyServer server("");
    port = server.port();
  }
  for (const model::CheckType type : {model::CheckType::kTcp, model::CheckType::kHttp}) {
    const CheckReport report = check_once(target_of(port, type));
    EXPECT_FALSE(report.passed);
    EXPECT_EQ(report.text, "connection refused");
  }
}

TEST(HealthCheck, SilenceFailsAfterTheTimeout) {
  // Listens, but nobody accepts, so the request is never answered.
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = static_cast<sockaddr*>(static_cast<void*>(&address));
  ASSERT_EQ(bind(listener, generic, size), 0);
  ASSERT_EQ(listen(listener, 16), 0);
  ASSERT_EQ(getsockname(listener, generic, &size), 0);
  CheckTarget target = target_of(ntohs(address.sin_port), model::CheckType::kHttp);
  target.check.timeout_ms = 100;
  const CheckReport report = check_once(target);
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.text, "no answer in 100 ms");
  close(listener);
}

TEST(HealthChecker, ReportsRiseThenFallThenSilence) {
  TinyServer server(kOk);
  CheckTarget target = target_of(server.port(), model::CheckType::kHttp);
  target.check.rise = 2;
  target.check.fall = 3;
  Reports reports;
  HealthChecker checker([&](const CheckReport& report) { reports.add(report); });
  checker.set_targets({target});
  EXPECT_EQ(reports.wait(0).event, std::nullopt);
  EXPECT_EQ(reports.wait(1).event, Event::kRose);
  server.answer("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(reports.wait_for_event(Event::kFell).text, "500, expected 200 to 399");
}

TEST(HealthChecker, KeepsCountingOverTheSameTargets) {
  TinyServer server(kOk);
  CheckTarget target = target_of(server.port(), model::CheckType::kHttp);
  target.check.rise = 5;
  Reports reports;
  HealthChecker checker([&](const CheckReport& report) { reports.add(report); });
  for (std::size_t i = 0; i < 5; ++i) {
    checker.set_targets({target});
    reports.wait(i);
  }
  EXPECT_EQ(reports.wait(4).event, Event::kRose);
}

TEST(HealthChecker, ForgetsRemovedTargets) {
  TinyServer server(kOk);
  Reports reports;
  HealthChecker checker([&](const CheckReport& report) { reports.add(report); });
  checker.set_targets({target_of(server.port(), model::CheckType::kTcp)});
  reports.wait(0);
  checker.set_targets({});
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const std::size_t before = reports.size();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_EQ(reports.size(), before);
}

TEST(Streak, ReportsEachRowOnce) {
  Streak streak;
  EXPECT_EQ(streak.count(false, 2, 3), std::nullopt);
  EXPECT_EQ(streak.count(false, 2, 3), std::nullopt);
  EXPECT_EQ(streak.count(false, 2, 3), Event::kFell);
  EXPECT_EQ(streak.count(false, 2, 3), std::nullopt);
  EXPECT_EQ(streak.count(true, 2, 3), std::nullopt);
  EXPECT_EQ(streak.count(true, 2, 3), Event::kRose);
  EXPECT_EQ(streak.count(true, 2, 3), std::nullopt);
}

TEST(Streak, AnInterruptedRowStartsAnew) {
  Streak streak;
  EXPECT_EQ(streak.count(true, 2, 3), std::nullopt);
  EXPECT_EQ(streak.count(false, 2, 3), std::nullopt);
  EXPECT_EQ(streak.count(true, 2, 3), std::nullopt);
  EXPECT_EQ(streak.count(true, 2, 3), Event::kRose);
}

}  // namespace
}  // namespace hawser::control
