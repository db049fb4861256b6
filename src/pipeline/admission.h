// What a service bears: whether a new flow may begin.
#pragma once

#include "hawser/pipeline/packet.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// The source prefix is within its rate; takes one from it.
[[nodiscard]] bool is_within_source_rate(const Packet& packet, const ServiceEntry& service,
                                         Context& context) noexcept;

// The service has as many flows as it may have.
[[nodiscard]] bool is_full(ServiceId id, const ServiceEntry& service,
                           const WorkerState& worker) noexcept;

// The service is within its rate of new flows; takes one from it.
[[nodiscard]] bool is_within_new_flow_rate(ServiceId id, const ServiceEntry& service,
                                           Context& context) noexcept;

}  // namespace hawser::pipeline
