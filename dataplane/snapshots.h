// Snapshots: from what hawserd wants to the one pointer that workers follow.
//
// Threading: main core only; workers see nothing but Shared::snapshot.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/shared.h"
#include "dataplane/table_store.h"
#include "dataplane/worker.h"
#include "hawser/base/result.h"
#include "hawser/model/desired.h"
#include "hawser/pipeline/snapshot_builder.h"

namespace hawser::dataplane {

class Snapshots {
 public:
  struct Applied {
    Epoch epoch;
    std::uint64_t slots_moved = 0;
    std::uint64_t microseconds = 0;  // until every worker had left the old snapshot
  };

  // Publishes the empty snapshot. `shared` and `workers` must outlive this. Tables are kept in
  // `directory` over a restart.
  Snapshots(std::vector<pipeline::PortSetup> ports, Shared& shared,
            std::span<const std::unique_ptr<Worker>> workers, std::string directory);

  // Finishes what tend() has left.
  ~Snapshots();
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;

  // Builds `desired`, makes all workers follow it and frees the one before; or says what is wrong
  // with it and changes nothing. Blocks for as long as building takes.
  // The time it takes is counted from `begun`.
  [[nodiscard]] Result<Applied> apply(model::Desired desired,
                                      std::chrono::steady_clock::time_point begun);

  // Does a little of what can wait until a snapshot is in force; false when there is nothing.
  bool tend() { return store_.work(); }

  // What apply() would do now; changes nothing. Blocks for as long as building takes.
  [[nodiscard]] Result<pipeline::Preview> preview(const model::Desired& candidate) const;

  [[nodiscard]] const pipeline::Snapshot& running() const noexcept { return *running_; }
  // What the running snapshot was built from; epoch 0 before the first.
  [[nodiscard]] const model::Desired& desired() const noexcept { return desired_; }
  [[nodiscard]] std::span<const pipeline::NeighbourTarget> neighbours() const noexcept {
    return builder_.neighbours();
  }
  [[nodiscard]] std::uint64_t applied() const noexcept { return applied_; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

 private:
  [[nodiscard]] std::uint64_t live_flows(BackendId backend) const noexcept;

  pipeline::SnapshotBuilder builder_;
  Shared& shared_;
  std::span<const std::unique_ptr<Worker>> workers_;
  std::vector<unsigned> cores_;  // of the workers
  std::unique_ptr<const pipeline::Snapshot> running_;
  model::Desired desired_;
  TableStore store_;
  std::uint64_t applied_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace hawser::dataplane
