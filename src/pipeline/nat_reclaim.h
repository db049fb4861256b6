// Local ports when none is free: connections that are over give theirs back before their time.
#pragma once

#include <cstdint>

#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// Forgets, of a bounded number of flows on this NAT address, the one that is over (both sides have
// finished, or one has reset it) for longest. False when none of those looked at is; the next call
// looks at others. A TIME-WAIT of the backend may still hold the port; Linux takes a new SYN with a
// higher sequence number even then (RFC 6191).
bool reclaim_port(std::uint8_t address, net::Family family, Context& context) noexcept;

}  // namespace hawser::pipeline
