// World: a dataplane without NICs: snapshots, neighbours and workers as one row describes them.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hawser/pipeline/pipeline.h"
#include "hawser/pipeline/snapshot_builder.h"
#include "script.h"

namespace hawser::spec {

class World {
 public:
  // Throws std::runtime_error when the snapshot is refused.
  explicit World(const Setup& setup);

  void apply(const SnapshotStep& step);
  void apply(const NeighbourStep& step);
  void apply(const SweepStep& step);
  void run(pipeline::Burst& burst, std::uint16_t worker, std::uint16_t seconds);

  // Every counter of a worker that is not zero, in the shape of Row::counters.
  [[nodiscard]] Json counters(std::uint16_t worker) const;

 private:
  struct Worker {
    std::vector<pipeline::Ipv4Flows::Bucket> ipv4;
    std::vector<pipeline::Ipv6Flows::Bucket> ipv6;
    std::vector<table::NatRecord> nat;
    std::vector<stats::BackendCounters> backends;
    std::unique_ptr<pipeline::WorkerState> state;
  };

  void publish(const std::vector<model::Service>& services);
  void tell_neighbours();
  [[nodiscard]] pipeline::Context context(std::uint16_t worker, std::uint16_t seconds);
  void note_names(const std::vector<model::Service>& services);

  pipeline::SnapshotBuilder builder_;
  std::unique_ptr<const pipeline::Snapshot> snapshot_;
  pipeline::NeighbourMacs macs_;
  std::map<pipeline::NeighbourTarget, net::MacAddress> known_macs_;
  std::vector<Worker> workers_;
  std::map<std::size_t, std::string> names_;  // of backends, the removed ones too
  std::uint64_t epoch_ = 0;
};

}  // namespace hawser::spec
