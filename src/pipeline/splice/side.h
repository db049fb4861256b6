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

// Of options there are none, or timestamps alone, aligned as RFC 7323 appendix A has it, in nearly
// every segment.
inline void read_options(std::span<const std::uint8_t> options, l4::TcpOptions& out) noexcept {
  constexpr std::uint32_t kTimestampsAlone = 0x01'01'08'0a;  // NOP, NOP, kind, length
  if (options.empty()) return;
  if (options.size() == 12 && load<net::Big32>(options.data()).host() == kTimestampsAlone) {
    out.timestamps = {.value = load<net::Big32>(options.data() + 4).host(),
                      .echo = load<net::Big32>(options.data() + 8).host()};
    return;
  }
  if (!l4::read_tcp_options(options, out)) out = {};
}

[[nodiscard]] inline Segment read_segment(const Packet& packet) noexcept {
  const std::uint8_t* const tcp = packet.data + packet.l4_offset;
  const auto number = [&](std::size_t at) { return load<net::Big32>(tcp + at).host(); };
  const unsigned header = (tcp[offsetof(net::TcpHeader, data_offset_reserved)] >> 4U) * 4U;
  Segment segment{.sequence = {number(offsetof(net::TcpHeader, sequence))},
                  .acknowledgement = {number(offsetof(net::TcpHeader, acknowledgement))},
                  .payload = packet.l4_length - header,
                  .header = static_cast<std::uint16_t>(header),
                  .window = load<net::Big16>(tcp + offsetof(net::TcpHeader, window)).host(),
                  .flags = tcp[offsetof(net::TcpHeader, flags)]};
  read_options({tcp + sizeof(net::TcpHeader), header - sizeof(net::TcpHeader)}, segment.options);
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
