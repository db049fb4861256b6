// World: the real pipeline with its tables, without NICs: what the model is compared with.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "hawser/pipeline/pipeline.h"
#include "hawser/pipeline/snapshot_builder.h"
#include "model_packets.h"
#include "network.h"

namespace hawser::property {

// How large the tables are, and how much there is to fill them.
struct Shape {
  const char* name;
  TableSize size;
  std::uint16_t workers;               // among which local ports are dealt
  std::vector<std::uint16_t> present;  // those that there are in this world
  std::size_t clients;
  std::uint32_t client_ports;    // of each client
  std::uint32_t pause_permille;  // of bursts, followed by a pause
  std::uint32_t sweep_permille;  // of bursts, followed by some sweeping
};

// A packet with the frame it lies in.
struct Frame {
  std::vector<std::uint8_t> buffer;
  std::size_t begin = 0;  // of the frame in the buffer
};

class World {
 public:
  // `first_port`: where local ports are given out from.
  World(const Network& network, const Shape& shape, std::uint32_t first_port);

  // Builds and publishes. Ids that changed hands are in reused() afterwards.
  [[nodiscard]] Result<void> publish(const model::Desired& desired, Milliseconds now);
  [[nodiscard]] std::span<const BackendId> reused() const { return builder_.reused(); }
  [[nodiscard]] const pipeline::Snapshot& snapshot() const { return *snapshot_; }
  // Tells the workers who is resolved.
  void tell(const std::map<NeighbourTarget, net::MacAddress>& macs);

  // Tells a worker what the others have.
  void tell(std::size_t worker, const OthersFlows& others);
  // Is there room for one flow more, and another, without a look at who is idle?
  [[nodiscard]] bool has_room(std::size_t worker, const FlowKey& key, const ModelService& service);

  // Runs the pipeline; `frames` are written to.
  void run(std::size_t worker, Milliseconds now, std::span<const Segment> segments,
           std::vector<Frame>& frames, pipeline::Burst& burst);
  // Runs what waited and was released, up to a burst; false when there was nothing.
  [[nodiscard]] bool run_released(std::size_t worker, Milliseconds now, pipeline::Burst& burst);
  // What is due without a packet; how many packets that ended the wait of.
  [[nodiscard]] std::size_t tick(std::size_t worker, Milliseconds now);
  void sweep(std::size_t worker, Milliseconds now, std::uint64_t microseconds);

  [[nodiscard]] pipeline::WorkerState& state(std::size_t worker) { return *workers_[worker].state; }
  [[nodiscard]] std::optional<RealFlow> find(std::size_t worker, const FlowKey& key,
                                             const ModelService& service);
  using Dump = std::map<std::tuple<net::IpAddress, std::uint16_t, std::uint16_t>, RealFlow>;
  // Every entry of a worker's tables, by client and service id. Fewer than live() when two are one.
  [[nodiscard]] Dump dump(std::size_t worker);

 private:
  struct Worker {
    std::vector<pipeline::Ipv4Flows::Bucket> ipv4;
    std::vector<pipeline::Ipv6Flows::Bucket> ipv6;
    std::vector<table::NatRecord> nat;
    std::vector<stats::BackendCounters> backends;
    std::vector<std::atomic<std::uint32_t>> others_backends;
    std::vector<std::atomic<std::uint32_t>> others_services;
    std::unique_ptr<pipeline::WorkerState> state;
  };

  void keep_held(std::vector<Frame>& frames, const pipeline::Burst& burst);
  [[nodiscard]] pipeline::Context context(std::size_t worker, Milliseconds now);

  pipeline::SnapshotBuilder builder_;
  std::unique_ptr<const pipeline::Snapshot> snapshot_;
  pipeline::NeighbourMacs macs_;
  std::vector<Worker> workers_;
  std::map<const std::uint8_t*, std::vector<std::uint8_t>> held_;  // by where the frame begins
  std::vector<const std::uint8_t*> no_longer_held_;
};

}  // namespace hawser::property
