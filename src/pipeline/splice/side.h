// Side: one packet of a spliced connection, seen from who sent it; and what its header says.
#pragma once

#include "../headers.h"
#include "hawser/l4/tcp_options.h"
#include "hawser/pipeline/worker_state.h"

namespace hawser::pipeline {

// What is read of a segment once, before anything is changed.
struct Segment {
  l4::Sequence sequence;
  l4::Sequence acknowledgement;
  std::uint32_t payload = 0;  // bytes
  std::uint16_t header = 0;   // bytes, with options
  std::uint16_t window = 0;
  std::uint8_t flags = 0;
  l4::TcpOptions options;

  [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
  [[nodiscard]] l4::Sequence end() const noexcept { return sequence + payload; }
};

[[nodiscard]] inline Segment read_segment(const Packet& packet) noexcept {
  const auto tcp = load<net::TcpHeader>(packet.data + packet.l4_offset);
  Segment segment{.sequence = {tcp.sequence.host()},
                  .acknowledgement = {tcp.acknowledgement.host()},
                  .payload = packet.l4_length - tcp.header_length(),
                  .header = static_cast<std::uint16_t>(tcp.header_length()),
                  .window = tcp.window.host(),
                  .flags = tcp.flags,
                  .options = {}};
  const std::span<const std::uint8_t> options(packet.data + packet.l4_offset + sizeof(tcp),
                                              segment.header - sizeof(tcp));
  segment.options = l4::read_tcp_options(options).value_or(l4::TcpOptions{});
  return segment;
}

[[nodiscard]] inline std::span<const std::uint8_t> payload_of(const Packet& packet,
                                                              const Segment& segment) noexcept {
  return {packet.data + packet.l4_offset + segment.header, segment.payload};
}

struct Side {
  Connection& connection;
  Exchange& exchange;
  SpliceTable::Number number;
  bool from_client;

  [[nodiscard]] Half& data() const noexcept {
    return from_client ? connection.up : connection.down;
  }
  // Of what the sender acknowledges.
  [[nodiscard]] Half& reverse() const noexcept {
    return from_client ? connection.down : connection.up;
  }
  [[nodiscard]] Side other() const noexcept { return {connection, exchange, number, !from_client}; }
};

[[nodiscard]] inline Side side_of(WorkerState& worker, SpliceTable::Number number,
                                  bool from_client) noexcept {
  return {worker.splice.connections.at(number), worker.splice.connections.exchange(number), number,
          from_client};
}

[[nodiscard]] inline net::IpAddress client_of(const Connection& connection) noexcept {
  net::IpAddress client;
  client.bytes = connection.client;
  client.family = connection.ipv4 ? net::Family::kIpv4 : net::Family::kIpv6;
  return client;
}

}  // namespace hawser::pipeline
