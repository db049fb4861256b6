// LoadBoard: tells each worker how many live flows the others have, per backend and service.
//
// Workers count alone and share nothing they write; the main core reads all counters and writes,
// for each worker, the sum of the others'. A worker adds its own exact count. So what it knows lags
// by limits::kLoadPeriod at most, and by nothing when it is the only worker: then the board is
// empty. Threading: the main core writes, workers read.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/mapping.h"
#include "hawser/base/result.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::dataplane {

class Worker;

class LoadBoard {
 public:
  [[nodiscard]] static Result<LoadBoard> create(std::size_t workers);

  // Lets a worker read its part.
  void attach(pipeline::WorkerState& state) const noexcept;
  // Sums up anew when limits::kLoadPeriod has passed since the last time. Main core only.
  void sum_up(const pipeline::Snapshot& snapshot,
              std::span<const std::unique_ptr<Worker>> workers) noexcept;

 private:
  using Word = std::atomic<std::uint32_t>;
  std::vector<Mapping> backends_;  // by worker; empty when there is only one
  std::vector<Mapping> services_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace hawser::dataplane
