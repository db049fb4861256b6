// Jobs: what is asked of one backend again and again, and what is remembered from time to time.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "health.h"
#include "health_flight.h"

namespace hawser::control {

// What jobs share: loaded once, forgotten when the configuration is read again.
class CheckMaterial {
 public:
  [[nodiscard]] std::shared_ptr<TlsContext> tls(const model::TlsCheck& settings);
  // Null when it is none, which the configuration was checked for.
  [[nodiscard]] std::shared_ptr<const BodyPattern> pattern(const std::string& text);
  void forget();

 private:
  std::map<std::string, std::shared_ptr<TlsContext>> contexts_;
  std::map<std::string, std::shared_ptr<const BodyPattern>> patterns_;
};

class Job {
 public:
  using Clock = std::chrono::steady_clock;

  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  [[nodiscard]] virtual std::uint32_t interval_ms() const = 0;
  // Where the next flight goes, and what it says there (null: nothing); both until the next call.
  virtual const Route& prepare(CheckMaterial& material) = 0;
  [[nodiscard]] virtual std::unique_ptr<Talk> make_talk() = 0;
  virtual void report(const Landing& landing, std::chrono::milliseconds took) = 0;

  // The loop's.
  Clock::time_point due;       // of the next flight
  Clock::time_point deadline;  // of the one under way
  Clock::time_point started;
  std::unique_ptr<Talk> talk;
  std::unique_ptr<Flight> flight;  // while under way; refers to the talk
};

class CheckJob : public Job {
 public:
  CheckJob(CheckTarget target, const HealthChecker::Callback& callback);

  [[nodiscard]] const CheckTarget& target() const { return report_.target; }
  [[nodiscard]] std::uint32_t interval_ms() const override { return target().check.interval_ms; }
  const Route& prepare(CheckMaterial& material) override;
  [[nodiscard]] std::unique_ptr<Talk> make_talk() override;
  void report(const Landing& landing, std::chrono::milliseconds took) override;

 private:
  CheckReport report_;  // the target stays, the rest is of the last check
  const HealthChecker::Callback& callback_;
  Streak streak_;
  Route route_;
  std::string request_;  // of http and https
  std::shared_ptr<TlsContext> tls_;
  std::shared_ptr<const BodyPattern> pattern_;
};

class AgentJob : public Job {
 public:
  AgentJob(AgentTarget target, const HealthChecker::AgentCallback& callback);

  [[nodiscard]] const AgentTarget& target() const { return report_.target; }
  [[nodiscard]] std::uint32_t interval_ms() const override { return target().agent.interval_ms; }
  const Route& prepare(CheckMaterial& material) override;
  [[nodiscard]] std::unique_ptr<Talk> make_talk() override;
  void report(const Landing& landing, std::chrono::milliseconds took) override;

 private:
  AgentReport report_;
  const HealthChecker::AgentCallback& callback_;
  AgentMemory memory_;
  Route route_;
};

}  // namespace hawser::control
