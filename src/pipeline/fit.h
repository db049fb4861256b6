// Packets that are larger than the way on: told to their sender, or split.
#pragma once

#include <cstddef>

#include "hawser/pipeline/packet.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// What became of a packet that is longer than `room`.
struct Fitted {
  Verdict verdict = Verdict::kUndecided;  // undecided: it was shortened and goes on
  Packet* rest = nullptr;  // what was cut off, to go the same way; may be too long still
};

// For a packet whose IP part is longer than `room` bytes. An IPv4 packet that may be fragmented is
// cut (RFC 791 section 3.2); any other becomes the ICMP error for its sender (RFC 1191 section 4,
// RFC 8200 section 5), which comes from the address that the packet was for.
[[nodiscard]] Fitted fit(Packet& packet, std::size_t room, Context& context) noexcept;

}  // namespace hawser::pipeline
