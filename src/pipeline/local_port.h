// Local ports towards backends: giving them out, and taking them from connections that are over.
#pragma once

#include <optional>

#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// A local endpoint of `family` on a port, by `hash` one of its NAT addresses; none when all local
// ports are in use by flows that are not over.
[[nodiscard]] std::optional<table::NatIndex> allocate_local(PortId port, net::Family family,
                                                            std::uint64_t hash,
                                                            Context& context) noexcept;

}  // namespace hawser::pipeline
