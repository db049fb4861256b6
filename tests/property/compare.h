// Compares what the pipeline did with what the model says; every difference is a line of text.
#pragma once

#include <string>
#include <vector>

#include "model_packets.h"
#include "world.h"

namespace hawser::property {

using Faults = std::vector<std::string>;

// Verdict, backend, ports, owner, and every byte of the frame.
void compare_packet(const Expected& expected, const Segment& segment,
                    const pipeline::Packet& packet, const ModelConfig& config, Faults& faults);

// The flow behind a key and its local port's record, or that there is none.
void compare_flow(ModelWorker& model, World& world, std::size_t worker, const FlowKey& key,
                  Faults& faults);

// All counters of a worker.
void compare_counters(const ModelWorker& model, World& world, std::size_t worker, Faults& faults);

// All flows of a worker, both ways, and that the model's own counts are what its flows say.
void compare_all_flows(ModelWorker& model, World& world, std::size_t worker, Faults& faults);

}  // namespace hawser::property
