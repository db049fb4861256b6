// ServiceState: a service at run time, its backends' states and what the dataplane should do.
//
// Plain state without threads, clock or disk. Copies are values; the runtime shares them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend_state.h"
#include "hawser/model/service.h"

namespace hawser::control {

// A backend went from one state to another, or a service into panic or out of it (no backend).
struct Transition {
  std::string service;
  std::string backend;
  std::string before;
  std::string after;
  std::string cause;
  std::uint64_t until_unix = 0;  // it ends by itself; 0: it does not
};

// What a guard says to a change.
struct GuardCheck {
  std::string service;
  const char* guard = "";  // max_draining, min_ready
  std::size_t limit = 0;
  std::size_t before = 0;
  std::size_t after = 0;
  bool refused = false;
};

class ServiceState {
 public:
  using Shared = std::shared_ptr<const model::Service>;

  explicit ServiceState(Shared configured);

  [[nodiscard]] const model::Service& configured() const { return *configured_; }
  [[nodiscard]] const BackendState& backend(std::size_t index) const { return backends_[index]; }
  [[nodiscard]] const Judgement& judgement(std::size_t index) const { return judged_[index]; }
  // What the dataplane should do: weights, admissions and departures as they are in force.
  [[nodiscard]] const Shared& in_force() const { return in_force_; }
  // Since when every backend that should serve is unhealthy; 0: it is not so.
  [[nodiscard]] std::uint64_t panic_since() const { return panic_since_; }
  // Something ends or grows by itself, so settle() is to be called every second.
  [[nodiscard]] bool is_timed() const { return timed_; }

  // May be changed in any way; what follows is known after settle().
  [[nodiscard]] BackendState& edit(std::size_t index) { return backends_[index]; }

  // As if it had been so for ever: no slow start begins, nothing is told.
  void settle_first(std::uint64_t now_unix);
  // After a reload, which made this of `before` (null: the service is new): what served goes on,
  // and what is new is admitted.
  void settle_from(const ServiceState* before, std::uint64_t now_unix,
                   std::vector<Transition>& transitions);
  // The same service in another configuration.
  void follow(Shared configured) { configured_ = std::move(configured); }
  // Begins and ends slow starts, ejections and panic; adds what became different.
  void settle(std::uint64_t now_unix, std::vector<Transition>& transitions);

  [[nodiscard]] std::size_t serving() const;
  // Draining or in maintenance, or meant to be.
  [[nodiscard]] std::size_t leaving() const;
  [[nodiscard]] std::size_t ejected() const;

 private:
  void update(std::size_t index, std::uint64_t now_unix, std::vector<Transition>* transitions);
  void update_panic(std::uint64_t now_unix, std::vector<Transition>* transitions);
  void compose(std::uint64_t now_unix);
  [[nodiscard]] model::Admission admission(std::size_t index) const;

  Shared configured_;
  std::vector<BackendState> backends_;  // by index of the configured backend
  std::vector<Judgement> judged_;
  Shared in_force_;
  std::uint64_t panic_since_ = 0;
  bool timed_ = false;
};

// What the service's guards say to going from `before` to `after`. One is refused only when the
// change makes it worse.
[[nodiscard]] std::vector<GuardCheck> check_guards(const ServiceState& before,
                                                   const ServiceState& after);

}  // namespace hawser::control
