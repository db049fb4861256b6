// Rig: the pipeline as a worker runs it, without ports: one service, its backends, tables in huge
// pages, and the turn of the worker's loop.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <vector>

#include "frames.h"
#include "hawser/pipeline/pipeline.h"
#include "hawser/pipeline/snapshot_builder.h"
#include "huge_memory.h"
#include "pace.h"

namespace hawser::bench {

struct RigSetup {
  model::Forward forward = model::Forward::kDsrIpip;
  net::Family family = net::Family::kIpv4;
  std::size_t capacity = 0;   // flows of that family that the table is made for
  std::size_t nat_flows = 0;  // of those, flows that hold a local port at the same time
  // Of a service that is read: connections at the same time, whether cookies name homes, rules.
  std::size_t spliced = 0;
  bool cookies = false;
  std::vector<model::Rule> rules;
};

// What the pipeline has counted so far, or between two moments.
struct Tally {
  std::array<std::uint64_t, pipeline::kVerdicts> verdicts{};
  std::uint64_t new_flows = 0;
  std::uint64_t stateless = 0;

  [[nodiscard]] Tally since(const Tally& before) const;
  [[nodiscard]] std::uint64_t of(pipeline::Verdict verdict) const {
    return verdicts[static_cast<std::size_t>(verdict)];
  }
};

struct Expected {
  pipeline::Verdict verdict;
  std::uint64_t packets;
};

// Throws std::runtime_error naming every verdict that was not given as often as expected: what
// measured something else must not be reported.
void require_verdicts(const Tally& tally, std::initializer_list<Expected> expected);

class Rig {
 public:
  static constexpr std::uint32_t kBackends = 100;
  static constexpr std::uint16_t kPort = 80;  // of the service and of its backends

  explicit Rig(const RigSetup& setup);

  // One turn of a worker's loop with this burst. `see(packets)` looks at what leaves, whenever some
  // has been through: packets that came, and those that were made meanwhile.
  template <typename See>
  void turn(pipeline::Burst& burst, See&& see) noexcept {
    const std::uint64_t microseconds = pace_.advance();
    pipeline::Context now = context();
    restock();
    process(burst, now, see);
    if (microseconds != 0) look_at_what_is_due(now, microseconds);
  }
  void turn(pipeline::Burst& burst) noexcept {
    turn(burst, [](std::span<const pipeline::Packet>) {});
  }
  // The same without the pipeline: what a turn costs that is not to be measured.
  void pass(pipeline::Burst& burst) noexcept {
    static_cast<void>(pace_.advance());
    asm volatile("" : : "r"(&burst) : "memory");
  }

  // Lets every flow grow too old, and sweeps until none is left. Throws when one stays.
  void expire_all();
  // So many seconds pass, and all timers that are due then have their turn.
  void expire_timers(std::uint32_t seconds) noexcept;

  [[nodiscard]] pipeline::Context context() noexcept {
    return {.snapshot = *snapshot_,
            .worker = worker_,
            .neighbours = neighbours_,
            .now = pace_.coarse(),
            .now_ms = pace_.milliseconds(),
            .now_us = pace_.microseconds(),
            .unix_seconds = pace_.unix_seconds()};
  }
  [[nodiscard]] Tally tally() const;
  // Of the table of the family that is measured.
  [[nodiscard]] std::uint64_t live_flows() const noexcept;
  [[nodiscard]] std::uint64_t capacity() const noexcept;
  // What a flow takes in tables.
  [[nodiscard]] std::size_t bytes_per_flow() const noexcept;

  [[nodiscard]] pipeline::WorkerState& worker() noexcept { return worker_; }
  [[nodiscard]] const pipeline::Snapshot& snapshot() const noexcept { return *snapshot_; }
  [[nodiscard]] Pace& pace() noexcept { return pace_; }

  // A frame between a client and the service, or a backend and a local address.
  [[nodiscard]] tests::FrameSpec from_client(std::uint8_t tcp_flags) const;
  [[nodiscard]] tests::FrameSpec from_backend(std::uint8_t tcp_flags) const;
  [[nodiscard]] End service_end() const noexcept { return service_end_; }

 private:
  template <typename See>
  void process(pipeline::Burst& burst, pipeline::Context& now, See&& see) noexcept {
    do {
      pipeline::run(burst, now);
      see(std::span<const pipeline::Packet>(burst.span()));
      see(worker_.outbox.finished());
      take_back();
    } while (worker_.outbox.take_released(burst));
  }
  void restock() noexcept {
    while (worker_.outbox.spares_wanted() > 0 && !free_.empty()) add_spare();
  }
  void look_at_what_is_due(pipeline::Context& now, std::uint64_t microseconds) noexcept;
  void take_back() noexcept;
  void add_spare() noexcept;
  void publish();

  RigSetup setup_;
  pipeline::SnapshotBuilder builder_;
  HugeArray<pipeline::Ipv4Flows::Bucket> ipv4_;
  HugeArray<pipeline::Ipv6Flows::Bucket> ipv6_;
  HugeArray<table::NatRecord> nat_;
  std::vector<stats::BackendCounters> backends_;
  std::vector<stats::BackendTimes> times_;
  std::vector<affinity::LiveSessions> sessions_;
  HugeArray<pipeline::Connection> connections_;
  HugeArray<pipeline::Exchange> exchanges_;
  std::vector<std::uint8_t> heads_;
  std::vector<std::uint8_t> texts_;
  pipeline::NeighbourMacs neighbours_;
  Pace pace_;
  pipeline::WorkerState worker_;
  std::unique_ptr<const pipeline::Snapshot> snapshot_;
  HugeArray<std::uint8_t> spares_;
  std::vector<std::uint8_t*> free_;
  End service_end_;
};

}  // namespace hawser::bench
