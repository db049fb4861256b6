// A controller over a scratch directory, with a dataplane of its own making.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "configuration_file.h"
#include "controller.h"
#include "problems.h"
#include "rows.h"
#include "scratch_directory.h"

namespace hawser::control {

inline constexpr const char* kFile = R"(
[[port]]
name = "uplink"
device = "net_null0"
addresses = ["10.0.0.2/24"]
nat_addresses = ["10.0.0.3"]
[[service]]
name = "web"
address = "10.0.0.100"
port = 80
backend = [{ name = "b1", address = "10.0.0.11", port = 80 },
           { name = "b2", address = "10.0.0.12", port = 80 }]
[[service]]
name = "api"
address = "10.0.0.101"
port = 80
check = { type = "none" }
backend = [{ name = "b1", address = "10.0.0.11", port = 81 }]
)";

// Confirms or refuses what is pending whenever it is woken, as the client's thread does.
class FakeDataplane {
 public:
  explicit FakeDataplane(Controller& controller) : controller_(controller) {}
  ~FakeDataplane() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    woken_.notify_all();
    thread_.join();
  }
  FakeDataplane(const FakeDataplane&) = delete;
  FakeDataplane& operator=(const FakeDataplane&) = delete;

  void connect(std::uint64_t instance, const std::optional<model::Desired>& running = {}) {
    dataplane::v1::HelloReply hello;
    hello.set_version("test");
    hello.set_instance(instance);
    if (running) hello.set_epoch(running->epoch.value);
    controller_.connected(hello, running);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    wake();
  }
  void wake() {
    const std::lock_guard lock(mutex_);
    work_ = true;
    woken_.notify_all();
  }
  void refuse(std::string reason) {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(reason);
  }
  void stall(bool stalled) {
    const std::lock_guard lock(mutex_);
    stalled_ = stalled;
    work_ = true;
    woken_.notify_all();
  }
  // What runs, once `epoch` or a later one does.
  model::Desired running(std::uint64_t epoch = 1) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(woken_.wait_for(lock, std::chrono::milliseconds(5000),
                                [&] { return running_.epoch.value >= epoch; }));
    return running_;
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      woken_.wait(lock, [&] { return stop_ || (work_ && !stalled_); });
      if (stop_) return;
      work_ = false;
      lock.unlock();
      const std::optional<model::Desired> desired = controller_.pending();
      lock.lock();
      if (!desired) continue;
      if (stalled_) {
        work_ = true;
        continue;
      }
      const std::string refusal = refusal_;
      if (refusal.empty()) running_ = *desired;
      work_ = true;
      lock.unlock();
      if (refusal.empty()) {
        controller_.applied(desired->epoch, {});
      } else {
        controller_.refused(desired->epoch, refusal);
      }
      lock.lock();
      woken_.notify_all();
    }
  }

  Controller& controller_;
  std::mutex mutex_;
  std::condition_variable woken_;
  model::Desired running_;
  std::string refusal_;
  bool work_ = false;
  bool stalled_ = false;
  bool stop_ = false;
  std::thread thread_;
};

class ControllerTest : public testing::Test {
 protected:
  void SetUp() override {
    write(kFile);
    start();
  }
  void TearDown() override { end(); }

  // What a test needs of the configuration besides the file.
  virtual void adjust(model::Configuration& configuration) { static_cast<void>(configuration); }

  void write(const std::string& text) const { std::ofstream(file_, std::ios::trunc) << text; }

  void start() {
    model::ParsedConfiguration parsed = read_configuration(file_);
    ASSERT_TRUE(parsed.ok()) << parsed.diagnostics.front().to_string();
    adjust(parsed.configuration);
    Result<std::unique_ptr<Journal>> journal = Journal::open(scratch_.path() + "/state");
    ASSERT_TRUE(journal.has_value());
    Result<std::unique_ptr<Controller>> created =
        Controller::create(std::move(parsed.configuration), file_, *std::move(journal));
    ASSERT_TRUE(created.has_value());
    controller_ = *std::move(created);
    dataplane_ = std::make_unique<FakeDataplane>(*controller_);
    controller_->start({.wake_dataplane = [this] { dataplane_->wake(); },
                        .set_check_targets = {},
                        .set_agent_targets = {},
                        .now_unix = [this] { return now_.load(); },
                        .confirm_time = std::chrono::milliseconds(300)});
  }
  void end() {
    if (controller_) controller_->stop();
    dataplane_.reset();
    controller_.reset();
  }
  void restart() {
    end();
    start();
  }

  static const model::Backend& backend(const model::Desired& desired, std::size_t service,
                                       std::size_t index) {
    return desired.services.at(service).backends.at(index);
  }
  void check(const std::string& name, bool passed, std::optional<Event> event) {
    const View view = controller_->view();
    for (const CheckTarget& target : view.runtime.check_targets()) {
      if (target.backend != name) continue;
      controller_->note_check({.target = target,
                               .passed = passed,
                               .text = passed ? "connected in 1 ms" : "connection refused",
                               .event = event});
    }
  }
  v1::BackendRow row(const std::string& service, const std::string& name) {
    const std::vector<v1::BackendRow> rows = backend_rows(controller_->view(), {}, service, name);
    return rows.size() == 1 ? rows.front() : v1::BackendRow();
  }
  std::vector<std::string> problems() {
    std::vector<std::string> lines;
    const Error silent = fail("no answer");
    for (const Problem& problem : find_problems(controller_->view(), silent, silent, {}, 1060)) {
      lines.push_back(std::string(to_string(problem.severity)) + ": " + problem.message);
    }
    return lines;
  }

  ScratchDirectory scratch_;
  std::string file_ = scratch_.path() + "/hawser.toml";
  std::atomic<std::uint64_t> now_{1000};  // seconds since 1970
  std::unique_ptr<Controller> controller_;
  std::unique_ptr<FakeDataplane> dataplane_;
};

}  // namespace hawser::control
