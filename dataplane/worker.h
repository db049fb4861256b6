// Worker: one core that receives, decides and sends, from start to stop.
//
// Each turn of its loop takes a burst from every port, packets other workers handed over and frames
// the main core wants sent, runs the pipeline and does what the verdicts say. It owns its tables;
// nothing it does per packet allocates, locks or makes a system call.
// Threading: run() on the worker's core; the rest from the main core.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/flow_lister.h"
#include "dataplane/load_meter.h"
#include "dataplane/shared.h"
#include "dataplane/worker_clock.h"
#include "dataplane/worker_memory.h"
#include "hawser/pipeline/packet.h"
#include "hawser/pipeline/pipeline.h"

struct rte_mempool;

namespace hawser::dataplane {

// A port as a worker sees it.
struct WorkerPort {
  std::uint16_t dpdk_id = 0;
  // False: the port has too few receive queues for this worker, or another VLAN of its device
  // receives for it.
  bool receives = true;
};

struct WorkerSetup {
  WorkerId id;
  std::uint32_t core = 0;         // of the machine
  std::vector<WorkerPort> ports;  // by PortId
  rte_mempool* pool = nullptr;    // for packets the pipeline makes
};

// Packets freed because there was no room for them.
struct WorkerLosses {
  stats::Counter hand_off_ring_full;
  stats::Counter punt_ring_full;
  stats::Counter vlan_tag_lost;  // no room for the tag that the driver had taken out
};

class Worker {
 public:
  // `shared` must outlive the worker.
  Worker(WorkerSetup setup, WorkerMemory memory, Shared& shared);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // The loop, until stop().
  void run() noexcept;
  void stop() noexcept { stopping_.store(true, std::memory_order_relaxed); }

  [[nodiscard]] WorkerId id() const noexcept { return setup_.id; }
  [[nodiscard]] std::uint32_t core() const noexcept { return setup_.core; }
  // For reading counters only.
  [[nodiscard]] const pipeline::WorkerState& state() const noexcept { return state_; }
  [[nodiscard]] const WorkerLosses& losses() const noexcept { return losses_; }
  // Packets a port did not take in time.
  [[nodiscard]] std::uint64_t unsent(PortId port) const noexcept {
    return senders_[port.value].unsent.read();
  }
  [[nodiscard]] std::uint64_t busy_permille() const noexcept { return meter_.permille(); }
  // Of its loop, since the start; 0: it does not forward yet.
  [[nodiscard]] std::uint64_t turns() const noexcept { return meter_.turns(); }
  [[nodiscard]] FlowLister& lister() noexcept { return lister_; }
  // Zeroes the counters of an id that goes to another backend; no flow may refer to it now.
  void reset_counters(BackendId id) noexcept;

 private:
  // Packets on their way to a port, sent together.
  struct Sender {
    std::array<rte_mbuf*, 2 * limits::kBurst> mbufs{};
    std::uint32_t count = 0;
    stats::Counter unsent;
  };

  [[nodiscard]] unsigned receive(pipeline::Context& context) noexcept;
  [[nodiscard]] unsigned take_handed_over(pipeline::Context& context) noexcept;
  [[nodiscard]] unsigned send_injected() noexcept;
  void process(pipeline::Context& context) noexcept;
  void dispose(std::span<const pipeline::Packet> packets) noexcept;
  void empty_outbox() noexcept;
  void restock() noexcept;
  void send(PortId port, rte_mbuf* mbuf) noexcept;
  void flush(std::size_t port) noexcept;

  WorkerSetup setup_;
  WorkerMemory memory_;
  Shared& shared_;
  pipeline::WorkerState state_;
  pipeline::Burst burst_;
  std::vector<Sender> senders_;  // by PortId
  WorkerLosses losses_;
  FlowLister lister_;
  WorkerClock clock_;
  LoadMeter meter_;
  std::atomic<bool> stopping_{false};
};

}  // namespace hawser::dataplane
