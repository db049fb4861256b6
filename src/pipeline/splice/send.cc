// Makes and sends the balancer's own segments.
#include "send.h"

#include <algorithm>

#include "../link.h"
#include "forward.h"
#include "own.h"
#include "read.h"

namespace hawser::pipeline {

Ends ends_to(const Side& receiver, const Context& context) noexcept {
  const Connection& connection = receiver.connection;
  if (receiver.from_client) {
    const ServiceEntry& service = context.snapshot.services[connection.service.value];
    return {.source = service.address,
            .destination = client_of(connection),
            .source_port = service.port,
            .destination_port = connection.client_port};
  }
  const BackendEntry& backend = context.snapshot.backends[connection.backend.value];
  return {.source = context.snapshot.nat_addresses[connection.local.address],
          .destination = backend.address,
          .source_port = net::Big16(connection.local.port),
          .destination_port = backend.port};
}

std::uint8_t window_unit_of(const Side& sender) noexcept {
  // Its windows are about what it receives: the other side's bytes.
  const Half& received = sender.reverse();
  return received.scaled ? received.shift_count : std::uint8_t{0};
}

std::uint8_t window_unit_to(const Side& receiver) noexcept {
  const Connection& connection = receiver.connection;
  if (receiver.from_client) {
    return connection.down.scaled ? limits::kOfferedWindowScale : std::uint8_t{0};
  }
  return connection.up.scaled ? connection.down.shift_count : std::uint8_t{0};
}

std::uint16_t window_for(const Side& receiver, Sequence acknowledged) noexcept {
  Half& sent = receiver.data();
  if (sent.edge <= acknowledged) return 0;
  // Rounded up, and remembered: the right edge never moves back.
  const std::uint8_t unit = window_unit_to(receiver);
  const std::uint32_t room = (sent.edge - acknowledged) + (1U << unit) - 1;
  const std::uint32_t units = std::min<std::uint32_t>(room >> unit, UINT16_MAX);
  const Sequence edge = acknowledged + (units << unit);
  if (edge > sent.edge) sent.edge = edge;
  return static_cast<std::uint16_t>(units);
}

Verdict reply(Packet& packet, const OwnSegment& own, Verdict verdict, const Context& context,
              std::span<const std::uint8_t> payload) noexcept {
  if (packet.capacity < kBareSegment + payload.size()) return Verdict::kNoBuffer;
  const std::uint64_t mac = net::mac_word(packet.data + offsetof(net::EthernetHeader, source));
  const bool ipv4 = packet.family == net::Family::kIpv4;
  const Ends ends{.source = destination(packet),
                  .destination = ipv4 ? net::IpAddress(source_address<Ipv4Traits>(packet))
                                      : net::IpAddress(source_address<Ipv6Traits>(packet)),
                  .source_port = packet.destination_port,
                  .destination_port = packet.source_port};
  const auto room = begin_segment(packet, ends, own, payload.size());
  std::copy(payload.begin(), payload.end(), room.begin());
  finish_segment(packet, ends);
  packet.port_out = packet.port_in;
  write_link(packet, mac, context.snapshot);
  return verdict;
}

bool set_way(Packet& packet, const Side& receiver, const Context& context) noexcept {
  const Connection& connection = receiver.connection;
  const Snapshot& snapshot = context.snapshot;
  if (!receiver.from_client) {
    const BackendEntry& backend = snapshot.backends[connection.backend.value];
    const std::uint64_t mac = context.neighbours.word(backend.next_hop);
    if (mac == 0) return false;
    packet.port_out = backend.port_out;
    write_link(packet, mac, snapshot);
    return true;
  }
  std::uint64_t mac = net::mac_word(connection.client_mac);
  packet.port_out = PortId(connection.client_port_id);
  const auto family = connection.ipv4 ? net::Family::kIpv4 : net::Family::kIpv6;
  const auto& gateway = snapshot.ports[packet.port_out.value].gateway(family);
  if (connection.by_gateway && gateway) {
    const std::uint64_t resolved = context.neighbours.word(*gateway);
    if (resolved != 0) mac = resolved;
  }
  write_link(packet, mac, snapshot);
  return true;
}

OwnSegment segment_to(const Side& receiver, Sequence sequence, std::uint8_t flags) noexcept {
  const Connection& connection = receiver.connection;
  const Exchange& exchange = receiver.exchange;
  OwnSegment segment;
  segment.sequence = sequence;
  segment.flags = flags;
  Sequence acknowledged = told(receiver.data());
  if (receiver.from_client && acknowledged < connection.base) acknowledged = connection.base;
  segment.acknowledgement = acknowledged;
  segment.window = window_for(receiver, acknowledged);
  if (receiver.from_client && connection.timestamps) {
    segment.timestamps = {exchange.sent_timestamp, exchange.client_timestamp};
  } else if (!receiver.from_client && connection.server_timestamps) {
    segment.timestamps = {exchange.client_timestamp,
                          exchange.sent_timestamp - connection.timestamp_shift};
  }
  return segment;
}

std::optional<Made> make(const Side& receiver, const OwnSegment& segment, std::size_t payload,
                         Verdict verdict, Context& context) noexcept {
  // Of a service that is gone nobody knows the address any more.
  if (context.snapshot.services[receiver.connection.service.value].splice == nullptr) {
    return std::nullopt;
  }
  if (!receiver.from_client) {
    const BackendEntry& backend = context.snapshot.backends[receiver.connection.backend.value];
    if (context.neighbours.word(backend.next_hop) == 0) return std::nullopt;
  }
  Packet* packet = context.worker.outbox.make(verdict);
  if (packet == nullptr) return std::nullopt;
  packet->service = receiver.connection.service;
  packet->backend = receiver.connection.backend;
  const Ends ends = ends_to(receiver, context);
  return Made{packet, ends, begin_segment(*packet, ends, segment, payload), receiver.from_client};
}

void send(const Made& made, const Side& receiver, Context& context) noexcept {
  finish_segment(*made.packet, made.ends);
  static_cast<void>(set_way(*made.packet, receiver, context));
  count_packet(*made.packet, receiver.from_client, receiver.connection.backend, context);
}

void keep_timestamp(const Segment& segment, const Side& sender) noexcept {
  if (!segment.options.timestamps) return;
  const std::uint32_t shift = sender.from_client ? 0 : sender.connection.timestamp_shift;
  const std::uint32_t seen = segment.options.timestamps->value + shift;
  std::uint32_t& kept =
      sender.from_client ? sender.exchange.client_timestamp : sender.exchange.sent_timestamp;
  if (static_cast<std::int32_t>(seen - kept) > 0) kept = seen;
}

void send_bare(const Side& receiver, std::uint8_t flags, Context& context) noexcept {
  const Half& sent = receiver.reverse();
  const OwnSegment segment = segment_to(receiver, to_receiver(sent, sent.end), flags);
  const auto made = make(receiver, segment, 0, Verdict::kSpliceOwn, context);
  if (made) send(*made, receiver, context);
}

Verdict acknowledge(Packet& packet, const Side& sender, Context& context) noexcept {
  const Half& sent = sender.reverse();
  const OwnSegment segment = segment_to(sender, to_receiver(sent, sent.end), net::kTcpAck);
  if (packet.capacity < kBareSegment) return Verdict::kNoBuffer;
  const Ends ends = ends_to(sender, context);
  static_cast<void>(begin_segment(packet, ends, segment, 0));
  finish_segment(packet, ends);
  return set_way(packet, sender, context) ? Verdict::kReplyAcknowledge
                                          : Verdict::kNextHopUnresolved;
}

Verdict taken(Packet& packet, const Segment& segment, const Side& sender,
              Context& context) noexcept {
  const Half& data = sender.data();
  const bool has_more = segment.end() > data.own_at + data.buffered || segment.has(net::kTcpFin);
  if (!has_more) return acknowledge(packet, sender, context);
  send_bare(sender, net::kTcpAck, context);
  Segment rest = segment;
  const Sequence owned = data.own_at + data.buffered;
  if (owned > rest.sequence && owned <= rest.end()) {
    drop_front(packet, rest, owned - rest.sequence);
  }
  return hold(packet, rest, sender, context.worker);
}

Verdict wait_for_gap(const Packet& packet, const Segment& segment, const Side& sender,
                     Context& context) noexcept {
  if (!is_intact(packet)) return Verdict::kTransportBadChecksum;
  const Verdict verdict = hold(packet, segment, sender, context.worker);
  // Its sender learns what is kept: without that it would send nothing again before a timeout.
  const Connection& connection = sender.connection;
  const bool agreed = sender.from_client ? connection.sack : connection.server_sack;
  const Half& sent = sender.reverse();
  OwnSegment own = segment_to(sender, to_receiver(sent, sent.end), net::kTcpAck);
  if (agreed && verdict != Verdict::kHoldFull && segment.payload != 0) {
    own.block = {segment.sequence, segment.end()};
  }
  if (const auto made = make(sender, own, 0, Verdict::kSpliceOwn, context)) {
    send(*made, sender, context);
  }
  return verdict;
}

void count_packet(const Packet& packet, bool to_client, BackendId backend,
                  Context& context) noexcept {
  if (backend == BackendId()) return;  // nobody's: the balancer answers itself
  stats::BackendCounters& counters = context.worker.backends[backend.value];
  if (to_client) {
    counters.packets_out.add(1);
    counters.bytes_out.add(packet.length);
  } else {
    counters.packets_in.add(1);
    counters.bytes_in.add(packet.length);
  }
}

}  // namespace hawser::pipeline
