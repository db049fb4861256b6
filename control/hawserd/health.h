// Active health checks and agents: asked at intervals; checks are counted into rises and falls.
//
// One thread runs them all over epoll and calls back from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent_reply.h"
#include "hawser/model/configuration.h"
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
  std::string text;     // "200 in 3 ms", "connection refused"; with the warning, if any
  std::string warning;  // of a check that passed: "certificate expires on 2026-11-20, in 3 d"
  std::optional<Event> event;  // kRose or kFell, on the check that completed the row
};

// Whose agent is asked and how.
struct AgentTarget {
  std::string service;
  std::string backend;
  net::IpAddress address;
  model::AgentCheck agent;
  friend bool operator==(const AgentTarget&, const AgentTarget&) = default;
};

// What an agent said, or that it said nothing: then nothing changes, as in HAProxy.
struct AgentReport {
  AgentTarget target;
  bool answered = false;
  bool changed = false;                  // the line, or whether there is one, is not as before
  std::string text;                      // its line, or why there is none
  std::optional<AgentState> state;       // follows from all it said so far; none: never spoke of it
  std::optional<std::uint32_t> percent;  // of the weight, 1 to 100; likewise. 0 % is kDrain
};

// What a configuration wants asked.
[[nodiscard]] std::vector<AgentTarget> agent_targets(const model::Configuration& configuration);

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
  using AgentCallback = std::function<void(const AgentReport&)>;

  explicit HealthChecker(Callback callback, AgentCallback agent_callback = {});
  ~HealthChecker();
  HealthChecker(const HealthChecker&) = delete;
  HealthChecker& operator=(const HealthChecker&) = delete;

  // From any thread. A target that was there before keeps its time table, its counts and what its
  // agent said; files that checks name are read again. The first check of a new one follows within
  // a tenth of its interval, of many new ones within a millisecond for each, up to the interval.
  void set_targets(std::vector<CheckTarget> targets);
  void set_agents(std::vector<AgentTarget> targets);
  // Since the thread last began a turn of its loop: about a second at most, unless it hangs. From
  // any thread.
  [[nodiscard]] std::chrono::milliseconds age() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace hawser::control
