// Parts: what requests are answered from.
#pragma once

#include <chrono>
#include <cstdint>

#include "dataplane/exception.h"
#include "dataplane/machine.h"
#include "dataplane/resolver.h"
#include "dataplane/snapshots.h"
#include "hawser/model/configuration.h"

namespace hawser::dataplane {

// Time since this process began.
class Stopwatch {
 public:
  [[nodiscard]] Uptime uptime() const {
    return std::chrono::duration_cast<Uptime>(std::chrono::steady_clock::now() - begun_);
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

struct Parts {
  const model::Configuration& configuration;
  const Machine& machine;
  Snapshots& snapshots;
  const Resolver& resolver;
  const ExceptionPath& exception;
  Stopwatch stopwatch;
  std::uint64_t instance = 0;      // random: tells this process from the one before
  std::uint64_t started_unix = 0;  // seconds
};

}  // namespace hawser::dataplane
