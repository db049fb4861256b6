// Plan: what a change would do to services and backends, before anything is done.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime.h"

namespace hawser::control {

struct PlannedBackend {
  std::string service;
  std::string backend;
  std::string state_before;  // empty: it was not there
  std::string state_after;   // empty: it is gone
  double share_before = 0;   // of new flows by weight, 0..1
  double share_after = 0;
};

struct Plan {
  std::vector<GuardCheck> guards;        // of the services that change
  std::vector<PlannedBackend> backends;  // every one of the services that change

  [[nodiscard]] bool is_refused() const;
  // "max_draining of web allows 1 backend, this would be the 2nd; ..."; empty: no guard refuses.
  [[nodiscard]] std::string refusal() const;
};

// What going from `before` to `after` means. `guarded`: an operator's wish, about which the guards
// of the services have a say.
[[nodiscard]] Plan plan_change(const Runtime& before, const Runtime& after, bool guarded);

// Of new flows by the weights in force, 0..1, by backend.
[[nodiscard]] std::vector<double> shares_of(const model::Service& in_force);

}  // namespace hawser::control
