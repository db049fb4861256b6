// The part of parse above IP: ports, flags and what is wrong with them.
#pragma once

#include <algorithm>
#include <cstddef>

#include "hawser/pipeline/packet.h"

namespace hawser::pipeline {

// Bytes that lie at `offset`, as far as they are contiguous and within the frame.
[[nodiscard]] inline std::size_t readable(const Packet& packet, std::size_t offset) noexcept {
  const std::size_t end = std::min<std::size_t>(packet.contiguous, packet.length);
  return end > offset ? end - offset : 0;
}

// Of a whole packet: notes the transport's ports and flags, or what is wrong as the fault.
void parse_transport(Packet& packet) noexcept;

// Of a piece of a larger packet, `offset` in units of eight bytes: notes which piece it is, and the
// ports if it is the first.
void parse_fragment(Packet& packet, unsigned offset) noexcept;

}  // namespace hawser::pipeline
