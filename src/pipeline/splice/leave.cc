// Leaves backends: a FIN, until it is acknowledged, or a reset.
#include "leave.h"

#include "../link.h"
#include "backend.h"
#include "mapping.h"
#include "send.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

// Nothing is under way in either direction.
bool is_idle(const Side& client) noexcept {
  const Half& up = client.connection.up;
  const Half& down = client.connection.down;
  return up.acked >= up.end && !up.owns && !down.fin && down.end == down.next &&
         !client.exchange.awaiting;
}

Departure departure_of(const Side& client) noexcept {
  const Half& up = client.connection.up;
  const OwnSegment fin = segment_to(client.other(), to_receiver(up, up.end), net::kTcpFin);
  return {.local = client.connection.local,
          .sequence = fin.sequence,
          .acknowledgement = fin.acknowledgement,
          .timestamps = fin.timestamps,
          .window = fin.window};
}

// The client's view of the bytes goes on, where the backend's numbers end.
void end_down(Half& down) noexcept {
  const Sequence view = to_receiver(down, down.end);
  const std::uint32_t window = down.edge - down.acked;
  const std::uint32_t room = down.limit - down.acked;
  down.shift = 0;
  down.next = down.end = down.acked = view;
  down.edge = view + window;
  down.limit = view + room;
}

// The FIN once more, or a reset in its place.
void send_departure(const Departure& departure, std::uint8_t flags, Context& context) noexcept {
  const table::NatRecord& record = context.worker.nat.record(departure.local);
  const BackendEntry& backend = context.snapshot.backends[record.backend().value];
  if (backend.service != record.service) return;  // a reload has taken it away
  const auto mac = context.neighbours.get(backend.next_hop);
  if (!mac) return;
  Packet* const packet = context.worker.outbox.make(kSpliceOwn);
  if (packet == nullptr) return;
  packet->service = record.service;
  packet->backend = record.backend();
  const Ends ends{.source = context.snapshot.nat_addresses[departure.local.address],
                  .destination = backend.address,
                  .source_port = net::Big16(departure.local.port),
                  .destination_port = backend.port};
  OwnSegment own;
  own.sequence = departure.sequence;
  own.acknowledgement = departure.acknowledgement;
  own.flags = flags;
  own.window = departure.window;
  own.timestamps = departure.timestamps;
  static_cast<void>(begin_segment(*packet, ends, own, 0));
  finish_segment(*packet, ends);
  packet->port_out = backend.port_out;
  write_link(*packet, *mac, context.snapshot);
  count_packet(*packet, false, packet->backend, context);
  context.worker.splice.owned_resent.add(1);
}

}  // namespace

void leave_backend(const Side& client, Context& context) noexcept {
  Connection& connection = client.connection;
  if (connection.phase == SplicePhase::kOpen) {
    LeftBehind& left_behind = context.worker.splice.left_behind;
    const bool gently = is_idle(client) && left_behind.has_room();
    const auto flags =
        static_cast<std::uint8_t>(net::kTcpAck | (gently ? net::kTcpFin : net::kTcpRst));
    send_bare(client.other(), flags, context);
    if (gently) {
      const Departure departure = departure_of(client);
      context.worker.nat.record(connection.local).set_left((departure.sequence + 1).value);
      left_behind.add(departure, context.now_ms);
      connection.local = {};
    }
    end_down(connection.down);
  }
  give_local_back(client, context.worker);
}

Verdict hear_left_behind(Packet& packet, Context& context) noexcept {
  const Segment segment = read_segment(packet);
  if (!segment.has(net::kTcpAck) || segment.has(net::kTcpRst)) return kSpliceOver;
  context.worker.nat.record({packet.nat_address, packet.nat_port})
      .hear_left(segment.acknowledgement.value);
  // Its FIN, or what its client has had and acknowledged: that was lost on its way.
  if (segment.payload == 0 && !segment.has(net::kTcpFin)) return kSpliceOver;
  OwnSegment own;
  own.sequence = segment.acknowledgement;
  own.acknowledgement = segment.end() + (segment.has(net::kTcpFin) ? 1U : 0U);
  own.flags = net::kTcpAck;
  own.window = UINT16_MAX;  // not less than it was told before, in units of any scale
  if (segment.options.timestamps) {
    own.timestamps = {segment.options.timestamps->echo, segment.options.timestamps->value};
  }
  return reply(packet, own, kReplyAcknowledge, context);
}

void tick_left_behind(Context& context) noexcept {
  context.worker.splice.left_behind.expire(
      context.now_ms, [&](const Departure& departure, bool is_last) {
        if (!context.worker.nat.record(departure.local).is_acknowledged()) {
          const std::uint8_t flags = is_last ? net::kTcpRst : net::kTcpFin;
          send_departure(departure, static_cast<std::uint8_t>(flags | net::kTcpAck), context);
        }
        if (is_last) context.worker.nat.release(departure.local);
      });
}

}  // namespace hawser::pipeline
