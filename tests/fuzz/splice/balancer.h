// Balancer: the real pipeline with one worker and one port, in memory and virtual time.
//
// Checks what must hold of every packet, whatever it is about: checksums, lengths, a verdict for
// each and each counted once, buffers that come back. Threading: none.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "../../spec/frame_pool.h"
#include "../../support/model_segment.h"
#include "../../support/model_tcp.h"
#include "hawser/pipeline/pipeline.h"
#include "hawser/pipeline/snapshot_builder.h"

namespace hawser::simulation {

struct BalancerSize {
  std::uint16_t mtu = 9000;
  std::size_t connections = 256;
  std::size_t heads = 64;
  std::size_t texts = 256;
  std::size_t spares = limits::kSpares;
};

class Balancer {
 public:
  // Buffers come from `pool`, which is all theirs. `damaged`: packets come with wrong checksums.
  Balancer(const BalancerSize& size, Milliseconds now, bool damaged, spec::FramePool& pool);

  // Throws std::runtime_error when the snapshot is refused.
  void publish(std::vector<model::Service> services, Milliseconds now);

  // Appends what leaves.
  void run(const std::vector<Frame>& frames, Milliseconds now, std::vector<Frame>& out);
  void tick(Milliseconds now, std::vector<Frame>& out);
  // Forgets what has been idle for too long, in all tables.
  void sweep(Milliseconds now);

  // MAC addresses: its own, and that of an address on its link.
  [[nodiscard]] static net::MacAddress own_mac();
  [[nodiscard]] static net::MacAddress mac_of(const net::IpAddress& address);

  [[nodiscard]] std::vector<std::string>& violations() noexcept { return violations_; }
  [[nodiscard]] std::uint64_t live() const noexcept { return worker_->splice.connections.live(); }
  [[nodiscard]] std::uint64_t count_of(pipeline::Verdict verdict) const noexcept {
    return worker_->verdicts[static_cast<std::size_t>(verdict)].read();
  }
  [[nodiscard]] std::uint64_t packets() const noexcept { return packets_; }
  [[nodiscard]] const pipeline::SpliceState& splice() const noexcept { return worker_->splice; }
  // Faults and refusals that the services have counted, for people.
  [[nodiscard]] std::vector<std::string> describe_refusals() const;
  // What connections leave behind that are all over; empty when nothing.
  [[nodiscard]] std::vector<std::string> leftovers() const;
  // Counts that do not add up; empty when all do.
  [[nodiscard]] std::vector<std::string> contradictions() const;
  // Connections that there still are, for people.
  [[nodiscard]] std::vector<std::string> describe_live() const;

 private:
  [[nodiscard]] pipeline::Context context(Milliseconds now);
  void restock();
  void run_burst(pipeline::Burst& burst, Milliseconds now, std::vector<Frame>& out);
  void take_finished(std::vector<Frame>& out);
  void take(const pipeline::Packet& packet, std::vector<Frame>& out);
  void check(const Frame& frame, const pipeline::Packet& packet);

  BalancerSize size_;
  bool damaged_;
  spec::FramePool& pool_;
  pipeline::SnapshotBuilder builder_;
  std::unique_ptr<const pipeline::Snapshot> snapshot_;
  pipeline::NeighbourMacs macs_;
  std::vector<pipeline::Ipv4Flows::Bucket> ipv4_;
  std::vector<pipeline::Ipv6Flows::Bucket> ipv6_;
  std::vector<table::NatRecord> nat_;
  std::vector<stats::BackendCounters> backends_;
  std::vector<pipeline::Connection> connections_;
  std::vector<pipeline::Exchange> exchanges_;
  std::vector<std::uint8_t> heads_;
  std::vector<std::uint8_t> texts_;
  std::unique_ptr<pipeline::WorkerState> worker_;
  std::uint64_t epoch_ = 0;
  std::uint64_t packets_ = 0;  // that had a verdict
  std::vector<std::string> violations_;
};

}  // namespace hawser::simulation
