// What a packet was when it came, to go through the stages once more after it was held.
#pragma once

#include "hawser/pipeline/packet.h"

namespace hawser::pipeline {

// Its headers must not have been changed. `l4_offset` stays, for those who look at held packets.
[[nodiscard]] inline Packet as_received(const Packet& packet) noexcept {
  Packet fresh;
  fresh.data = packet.data;
  fresh.handle = packet.handle;
  fresh.length = packet.length;
  fresh.contiguous = packet.contiguous;
  fresh.capacity = packet.capacity;
  fresh.l4_offset = packet.l4_offset;
  fresh.port_in = packet.port_in;
  fresh.ip_checksum = packet.ip_checksum;
  fresh.transport_checksum = packet.transport_checksum;
  return fresh;
}

}  // namespace hawser::pipeline
