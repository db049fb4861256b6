// ICMP errors about the balancer's own tunnel packets.
#pragma once

#include "hawser/pipeline/packet.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// For an ICMP message to an own address, whose checksum is right: if it says that a tunnel packet
// of ours was too big for the way to a backend, that is remembered (path_mtus.h).
void learn_from_error(const Packet& packet, Context& context) noexcept;

}  // namespace hawser::pipeline
