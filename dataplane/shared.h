// Shared: the few things that workers and the main core have in common.
#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "dataplane/load_board.h"
#include "dataplane/rings.h"
#include "hawser/base/result.h"
#include "hawser/model/configuration.h"
#include "hawser/pipeline/capture.h"
#include "hawser/pipeline/neighbour_macs.h"
#include "hawser/pipeline/snapshot.h"

struct rte_rcu_qsbr;

namespace hawser::dataplane {

// Who reads snapshots, so that an old one is freed when nobody does any more (rte_rcu_qsbr).
class Readers {
 public:
  [[nodiscard]] static Result<Readers> create(std::size_t workers);
  // Waits until every worker has passed between two bursts. Microseconds, as workers never stop.
  void synchronise() noexcept;
  [[nodiscard]] rte_rcu_qsbr* get() const noexcept { return variable_.get(); }

 private:
  struct Deleter {
    void operator()(rte_rcu_qsbr* variable) const noexcept;
  };
  explicit Readers(rte_rcu_qsbr* variable) noexcept : variable_(variable) {}
  std::unique_ptr<rte_rcu_qsbr, Deleter> variable_;
};

// A capture that runs: each worker's part of it, by WorkerId.
struct CaptureSet {
  std::vector<std::unique_ptr<pipeline::Capture>> workers;
};

struct Shared {
  Shared(Readers readers_of, Rings rings_of, LoadBoard load_board, model::Idle idle_mode)
      : readers(std::move(readers_of)),
        rings(std::move(rings_of)),
        load(std::move(load_board)),
        idle(idle_mode) {}

  // Written by the main core, loaded by each worker once a burst. Never null while workers run.
  std::atomic<const pipeline::Snapshot*> snapshot{nullptr};
  // The same for a capture; null: none runs. Freed like a snapshot.
  std::atomic<CaptureSet*> captures{nullptr};
  pipeline::NeighbourMacs neighbours{limits::kMaxNeighbours};
  pipeline::PathMtus paths{limits::kMaxNeighbours};
  Readers readers;
  Rings rings;
  LoadBoard load;
  model::Idle idle;
};

}  // namespace hawser::dataplane
