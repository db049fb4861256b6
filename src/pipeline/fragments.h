// What fragments have in common: the key of their datagram, and new identifications behind nat.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hawser/net/ipv6_chain.h"
#include "hawser/pipeline/packet.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// The fragment table's key for the datagram that a fragment is of. Never 0.
[[nodiscard]] std::uint64_t fragment_key(const Packet& packet, const Snapshot& snapshot) noexcept;

// Where an IPv6 fragment's fragment header lies, from `data`.
[[nodiscard]] std::size_t fragment_header_offset(const Packet& packet) noexcept;

// An identification that no other datagram of this balancer has had for long.
[[nodiscard]] inline std::uint32_t take_identification(WorkerState& worker) noexcept {
  worker.next_identification += worker.worker_count;
  return worker.next_identification + worker.id.value;
}

}  // namespace hawser::pipeline
