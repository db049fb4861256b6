// WorkerState: all that one worker owns and writes. Nobody else writes any of it.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "hawser/base/strong.h"
#include "hawser/base/time.h"
#include "hawser/pipeline/neighbour_macs.h"
#include "hawser/pipeline/snapshot.h"
#include "hawser/pipeline/verdict.h"
#include "hawser/stats/counter.h"
#include "hawser/table/flow_table.h"
#include "hawser/table/nat_table.h"

namespace hawser::pipeline {

using Ipv4Flows = table::FlowTable<table::Ipv4Flow>;
using Ipv6Flows = table::FlowTable<table::Ipv6Flow>;

// Where the sweep goes on, per table.
struct SweepCursor {
  std::size_t bucket = 0;
  std::uint64_t owed = 0;  // buckets times microseconds, carried over between steps
};

struct WorkerState {
  // All memory is zeroed, belongs to the caller and outlives the state; sizes as the tables say.
  WorkerState(WorkerId worker, std::span<Ipv4Flows::Bucket> ipv4_memory,
              std::span<Ipv6Flows::Bucket> ipv6_memory, std::span<table::NatRecord> nat_memory,
              std::size_t nat_addresses, std::uint16_t workers,
              std::span<stats::BackendCounters> backend_counters, std::uint32_t nat_start = 0)
      : id(worker),
        ipv4(ipv4_memory),
        ipv6(ipv6_memory),
        nat(nat_memory, nat_addresses, workers, worker, nat_start),
        backends(backend_counters) {}

  WorkerId id;
  Ipv4Flows ipv4;
  Ipv6Flows ipv6;
  table::NatTable nat;
  std::span<stats::BackendCounters> backends;  // by BackendId
  std::array<stats::Counter, kVerdicts> verdicts;
  stats::Counter stateless;  // forwarded by table alone: the flow table was full
  stats::Counter expired;    // flows forgotten for idleness
  SweepCursor ipv4_sweep;
  SweepCursor ipv6_sweep;
};

// What a burst is handled with: the snapshot loaded for it, and this worker's state.
struct Context {
  const Snapshot& snapshot;
  WorkerState& worker;
  const NeighbourMacs& neighbours;
  CoarseTime now;
};

}  // namespace hawser::pipeline
