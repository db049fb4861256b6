// The segment that brings a PROXY header to its backend, and changes to the size of segments.
#pragma once

#include <cstdint>
#include <span>

#include "hawser/net/checksum.h"
#include "hawser/pipeline/packet.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// Makes the segment with the header in the outbox and sets the timer for the next. Without a buffer
// or a resolved backend only the timer.
void send_header(table::Opening& opening, Context& context) noexcept;

// Puts an option behind the fixed TCP header; what lies before moves. `transport` gets what that
// changes under the transport checksum. The header must have room for it.
void insert_option(Packet& packet, std::span<const std::uint8_t> option,
                   net::ChecksumDelta& transport) noexcept;

// Takes the last bytes of the payload away; what they added to the checksum is the caller's.
void shrink(Packet& packet, std::size_t bytes, net::ChecksumDelta& transport) noexcept;

}  // namespace hawser::pipeline
