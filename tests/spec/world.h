// World: a dataplane without NICs: snapshots, neighbours and workers as one row describes them.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "frame_pool.h"
#include "hawser/pipeline/pipeline.h"
#include "hawser/pipeline/snapshot_builder.h"
#include "script.h"

namespace hawser::spec {

class World {
 public:
  // Throws std::runtime_error when the snapshot is refused. Empty buffers come from `pool`.
  World(const Setup& setup, FramePool& pool);

  void apply(const SnapshotStep& step);
  void apply(const NeighbourStep& step);
  void apply(const SweepStep& step);
  void apply(const WipeStep& step);

  // Runs a burst after giving the worker all the spares it wants and may have.
  void run(pipeline::Burst& burst, std::uint16_t worker, std::uint64_t at_ms);
  void tick(std::uint16_t worker, std::uint64_t at_ms);
  [[nodiscard]] pipeline::Outbox& outbox(std::uint16_t worker);
  void restock(std::uint16_t worker);

  // Every counter of a worker that is not zero, in the shape of Row::counters.
  [[nodiscard]] Json counters(std::uint16_t worker) const;
  // What does not add up, whatever the row; empty when all does.
  [[nodiscard]] std::vector<std::string> contradictions() const;

 private:
  struct Worker {
    std::vector<pipeline::Ipv4Flows::Bucket> ipv4;
    std::vector<pipeline::Ipv6Flows::Bucket> ipv6;
    std::vector<table::NatRecord> nat;
    std::vector<stats::BackendCounters> backends;
    std::vector<pipeline::Connection> connections;
    std::vector<pipeline::Exchange> exchanges;
    std::vector<std::uint8_t> heads;
    std::vector<std::uint8_t> texts;
    std::unique_ptr<pipeline::WorkerState> state;
    std::vector<std::atomic<std::uint32_t>> others_backends;
    std::vector<std::atomic<std::uint32_t>> others_services;
  };

  void publish(const SnapshotStep& step);
  void tell_neighbours();
  void tell_load(std::uint16_t worker);
  [[nodiscard]] pipeline::Context context(std::uint16_t worker, std::uint64_t at_ms);
  void note_names(const std::vector<model::Service>& services);
  [[nodiscard]] Json splice_counters(std::uint16_t worker) const;
  void check_flows(const Worker& worker, std::vector<std::string>& lines) const;

  FramePool& pool_;
  std::size_t spares_;
  pipeline::SnapshotBuilder builder_;
  std::unique_ptr<const pipeline::Snapshot> snapshot_;
  pipeline::NeighbourMacs macs_;
  std::map<pipeline::NeighbourTarget, net::MacAddress> known_macs_;
  std::vector<Worker> workers_;
  std::map<std::size_t, std::string> names_;  // of backends, the removed ones too
  std::uint64_t epoch_ = 0;
  std::uint64_t now_ms_ = 0;  // of the latest step
};

}  // namespace hawser::spec
