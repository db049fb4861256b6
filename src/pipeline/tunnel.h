// Carrying a packet to its backend inside another: IP in IP, or Generic UDP Encapsulation.
#pragma once

#include <cstddef>

#include "hawser/pipeline/packet.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// Bytes that the service's way of forwarding puts in front of a packet to `backend`.
[[nodiscard]] inline std::size_t tunnel_overhead(const ServiceEntry& service,
                                                 const BackendEntry& backend) noexcept {
  return model::tunnel_overhead(service.forward, backend.address.family);
}

// False when the outer UDP checksum, which IPv6 needs, would cover bytes that are not at hand.
// Those of a whole segment need not be: its own checksum stands for them.
[[nodiscard]] bool can_encapsulate(const Packet& packet, const ServiceEntry& service,
                                   const BackendEntry& backend) noexcept;

// Puts the outer headers in front; the link header is still to be written. Afterwards `family` is
// that of the outer header. False, and nothing changed, when the TTL of the inner packet is used
// up.
//
// IP in IP is RFC 2003 (4 in 4), RFC 2473 (in 6), RFC 4213 (6 in 4); GUE is variant 1 of
// draft-ietf-intarea-gue-09 section 4: the packet follows the UDP header. The outer DSCP and ECN
// are the inner's (RFC 6040 section 4.1).
[[nodiscard]] bool encapsulate(Packet& packet, const ServiceEntry& service,
                               const BackendEntry& backend, Context& context) noexcept;

}  // namespace hawser::pipeline
