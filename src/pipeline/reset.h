// Turning a TCP segment into the reset that answers it (RFC 9293 section 3.10.7.1).
#pragma once

#include "hawser/pipeline/packet.h"

namespace hawser::pipeline {

// In place: `packet` becomes a frame back to its sender. Options and payload go; the packet must be
// TCP without reset flag and have passed parse.
void become_reset(Packet& packet) noexcept;

}  // namespace hawser::pipeline
