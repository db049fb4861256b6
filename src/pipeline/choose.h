// Which backend gets a packet that no flow entry speaks for.
//
// Threading: worker only; everything read is the snapshot's or the worker's own.
#pragma once

#include "hawser/pipeline/packet.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// For a flow that begins and will be recorded: the slot's owner, or, if that is above its bound,
// the slot's next candidate that is not (Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with
// Bounded Loads", 2018). 0: nobody takes new flows.
[[nodiscard]] BackendId choose_for_new(const Packet& packet, const ServiceEntry& service,
                                       Context& context) noexcept;

// The same by a hash of anything. `spilled`: the owner was above its bound. Changes nothing, so the
// main core may ask too.
struct Choice {
  BackendId backend;
  bool spilled = false;
};
[[nodiscard]] Choice choose_by_hash(std::uint64_t hash, ServiceId id, const ServiceEntry& service,
                                    const Context& context) noexcept;

// For a flow that is in the middle, or of which no record can be kept: what every packet of it
// gets, as long as the table stays. If the slot changed not long ago, that is the owner before,
// provided it lives and, for a packet that opens a flow, takes new ones. 0: nobody.
[[nodiscard]] BackendId choose_by_table(const Packet& packet, const ServiceEntry& service,
                                        Context& context) noexcept;

// The backend that the packet's QUIC connection ID names; 0 when it names none that lives.
[[nodiscard]] BackendId choose_by_connection_id(const Packet& packet, const ServiceEntry& service,
                                                const Snapshot& snapshot) noexcept;

}  // namespace hawser::pipeline
