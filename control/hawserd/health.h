// Active health checks: TCP connects and HTTP requests at intervals, counted into rises and falls.
//
// One thread runs all checks by libcurl's multi interface and calls back from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hawser/model/service.h"
#include "hawser/net/address.h"
#include "state_machine.h"

namespace hawser::control {

// What is checked and how; `check.type` is not kNone.
struct CheckTarget {
  std::string service;
  std::string backend;
  net::IpAddress address;
  std::uint16_t port = 0;  // checked: the check's own, or the backend's
  model::Check check;
  friend bool operator==(const CheckTarget&, const CheckTarget&) = default;
};

struct CheckReport {
  CheckTarget target;
  bool passed = false;
  std::string text;            // "200 in 3 ms", "connection refused"
  std::optional<Event> event;  // kRose or kFell, on the check that completed the row
};

// Counts checks in a row. Reports an edge once for each row; a row that goes on is silent.
class Streak {
 public:
  [[nodiscard]] std::optional<Event> count(bool passed, std::uint32_t rise, std::uint32_t fall);

 private:
  bool passing_ = false;
  std::uint32_t length_ = 0;
};

class HealthChecker {
 public:
  // Called on the checker's thread after each check; must not call back into the checker.
  using Callback = std::function<void(const CheckReport&)>;

  explicit HealthChecker(Callback callback);
  ~HealthChecker();
  HealthChecker(const HealthChecker&) = delete;
  HealthChecker& operator=(const HealthChecker&) = delete;

  // From any thread. A target that was there before keeps its time table and its counts; the first
  // check of a new one follows within a tenth of its interval.
  void set_targets(std::vector<CheckTarget> targets);
  // Since the thread last began a turn of its loop: about a second at most, unless it hangs. From
  // any thread.
  [[nodiscard]] std::chrono::milliseconds age() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace hawser::control
