// WorkerState: all that one worker owns and writes. Nobody else writes any of it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "hawser/affinity/live_sessions.h"
#include "hawser/base/strong.h"
#include "hawser/base/time.h"
#include "hawser/l4/token_bucket.h"
#include "hawser/pipeline/handshake_clock.h"
#include "hawser/pipeline/held_fragments.h"
#include "hawser/pipeline/neighbour_macs.h"
#include "hawser/pipeline/outbox.h"
#include "hawser/pipeline/snapshot.h"
#include "hawser/pipeline/splice_state.h"
#include "hawser/pipeline/verdict.h"
#include "hawser/stats/backend_counters.h"
#include "hawser/stats/counter.h"
#include "hawser/table/flow_table.h"
#include "hawser/table/fragment_table.h"
#include "hawser/table/nat_table.h"
#include "hawser/table/opening_table.h"
#include "hawser/table/source_limiter.h"

namespace hawser::pipeline {

using Ipv4Flows = table::FlowTable<table::Ipv4Flow>;
using Ipv6Flows = table::FlowTable<table::Ipv6Flow>;

// Where the sweep goes on, per table.
struct SweepCursor {
  std::size_t bucket = 0;
  std::uint64_t owed = 0;  // buckets times microseconds, carried over between steps
};

// What the other workers have, as the main core last summed it up; never older than 100 ms. Without
// other workers both are empty.
struct OthersLoad {
  std::span<const std::atomic<std::uint32_t>> backends;  // live flows by BackendId
  std::span<const std::atomic<std::uint32_t>> services;  // by ServiceId

  [[nodiscard]] std::uint64_t of(BackendId id) const noexcept {
    return backends.empty() ? 0 : backends[id.value].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t of(ServiceId id) const noexcept {
    return services.empty() ? 0 : services[id.value].load(std::memory_order_relaxed);
  }
};

class Capture;

struct WorkerState {
  // All memory is zeroed, belongs to the caller and outlives the state; sizes as the tables say.
  WorkerState(WorkerId worker, std::span<Ipv4Flows::Bucket> ipv4_memory,
              std::span<Ipv6Flows::Bucket> ipv6_memory, std::span<table::NatRecord> nat_memory,
              std::size_t nat_addresses, std::uint16_t workers,
              std::span<stats::BackendCounters> backend_counters, std::uint32_t nat_start = 0,
              std::uint32_t now_ms = 0, std::uint16_t opening_capacity = limits::kOpenings,
              const SpliceMemory& splice_memory = {},
              std::span<stats::BackendTimes> backend_times = {},
              std::span<affinity::LiveSessions> live_sessions = {})
      : id(worker),
        worker_count(workers),
        ipv4(ipv4_memory),
        ipv6(ipv6_memory),
        nat(nat_memory, nat_addresses, workers, worker, nat_start),
        openings(nat_memory.size(), opening_capacity, now_ms),
        backends(backend_counters),
        times(backend_times),
        sessions(live_sessions),
        service_flows(limits::kMaxServices + 1),
        service_ended(limits::kMaxServices + 1),
        new_flow_buckets(limits::kMaxServices + 1),
        source_memory(limits::kSourceSets),
        sources(source_memory),
        fragment_memory(limits::kFragmentEntries / 2),
        fragments(fragment_memory),
        own_paths(limits::kOwnPaths),
        paths(&own_paths),
        splice(splice_memory, now_ms) {}
  // Spans within refer to memory within.
  WorkerState(const WorkerState&) = delete;
  WorkerState& operator=(const WorkerState&) = delete;

  WorkerId id;
  std::uint16_t worker_count;
  Ipv4Flows ipv4;
  Ipv6Flows ipv6;
  table::NatTable nat;
  table::OpeningTable openings;
  std::span<stats::BackendCounters> backends;  // by BackendId
  std::span<stats::BackendTimes> times;        // by BackendId; those beyond are not timed
  std::span<affinity::LiveSessions> sessions;  // by BackendId; of those beyond none are counted
  HandshakeClock handshakes;
  std::vector<stats::Counter> service_flows;  // live, by ServiceId
  std::vector<stats::Counter> service_ended;  // of those: no load any more
  OthersLoad others;
  std::array<stats::Counter, kVerdicts> verdicts;
  stats::Counter stateless;       // forwarded by table alone: no room, or too many new flows
  stats::Counter expired;         // flows forgotten for idleness
  stats::Counter spilled;         // new flows that went past an owner above its bound
  stats::Counter previous_owner;  // packets without a flow that went to the slot's previous owner
  stats::Counter path_mtus_learned;    // errors about tunnel packets that told a path's MTU
  stats::Counter nat_ports_reclaimed;  // local ports taken from flows that were over
  stats::Counter proxy_header_lost;    // PROXY headers that no backend acknowledged
  SweepCursor ipv4_sweep;
  SweepCursor ipv6_sweep;
  std::vector<l4::TokenBucket> new_flow_buckets;  // by ServiceId
  std::vector<table::SourceLimiter::Set> source_memory;
  table::SourceLimiter sources;
  l4::TokenBucket echo_bucket;
  l4::TokenBucket icmp_error_bucket;
  std::vector<table::FragmentTable::Set> fragment_memory;
  table::FragmentTable fragments;
  HeldFragments held;
  PathMtus own_paths;
  PathMtus* paths;                        // its own, or what all workers of a dataplane share
  std::uint32_t next_identification = 0;  // of fragments behind nat, this worker's own share
  SpliceState splice;
  Outbox outbox;

  void time(BackendId backend, stats::Histogram stats::BackendTimes::*which,
            std::uint32_t microseconds) noexcept {
    if (backend.value < times.size()) (times[backend.value].*which).add(microseconds);
  }
  Capture* capture = nullptr;  // null: nobody looks at packets
};

// What a burst is handled with: the snapshot loaded for it, and this worker's state.
struct Context {
  const Snapshot& snapshot;
  WorkerState& worker;
  const NeighbourMacs& neighbours;
  CoarseTime now;
  std::uint32_t now_ms = 0;        // of a monotonic clock, wrapping
  std::uint32_t now_us = 0;        // of a monotonic clock, wrapping
  std::uint64_t unix_seconds = 0;  // wall clock, since 1970
  std::uint64_t ticks = 0;         // of the adapter's finest clock, for who can read it: captures
};

}  // namespace hawser::pipeline
