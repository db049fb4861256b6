// Stage: connections that are read (forward = "splice"), from SYN to linger.
#include "../flows.h"
#include "answer.h"
#include "backend.h"
#include "finish.h"
#include "hawser/pipeline/pipeline.h"
#include "hear.h"
#include "icmp.h"
#include "leave.h"
#include "mapping.h"
#include "open.h"
#include "own.h"
#include "send.h"
#include "timestamps.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

template <typename Traits, typename Table>
auto* find_flow(const Packet& packet, Table& flows) noexcept {
  const auto key = key_of<Table>(peer_address<Traits>(packet), packet.source_port, packet.service);
  return flows.find(key, packet.hash);
}

SpliceTable::Number find_client(const Packet& packet, Context& context) noexcept {
  if (packet.family == net::Family::kIpv4) {
    const auto* flow = find_flow<Ipv4Traits>(packet, context.worker.ipv4);
    return flow == nullptr ? SpliceTable::kNone : flow->meta.nat();
  }
  const auto* flow = find_flow<Ipv6Traits>(packet, context.worker.ipv6);
  return flow == nullptr ? SpliceTable::kNone : flow->meta.nat();
}

// --- from clients --------------------------------------------------------------------------------

// While the head is not complete: nothing passes, everything in order is kept.
Verdict hear_reading(Packet& packet, const Segment& segment, const Side& client,
                     Context& context) noexcept {
  const Half& up = client.connection.up;
  if (segment.has(net::kTcpRst)) {
    if (segment.sequence != expected(up)) return kSpliceReset;
    forget_connection(client.number, context);
    return kSpliceTaken;
  }
  if (!segment.has(net::kTcpAck)) return kSpliceAcknowledgement;
  client.connection.seen = context.now;
  if (segment.sequence <= expected(up)) keep_timestamp(segment, client);
  if (segment.payload == 0 && !segment.has(net::kTcpFin)) return kSpliceTaken;
  if (segment.sequence > expected(up)) return wait_for_gap(packet, segment, client, context);
  if (segment.payload != 0 && segment.end() <= expected(up)) {
    return acknowledge(packet, client, context);
  }
  if (!is_intact(packet)) return kTransportBadChecksum;
  release_held(client, context.worker);
  Reading reading{.read = Read::kTaken, .pass_to = segment.end()};
  if (segment.payload != 0) reading = read(packet, segment, client, context);
  const bool cut = reading.read == Read::kTaken && segment.has(net::kTcpFin) &&
                   client.connection.phase == SplicePhase::kReading;
  if (cut) reading = {.read = Read::kAnswered, .answer = answer_with(Refusal::kHeadCut)};
  if (reading.read == Read::kAnswered) {
    const Sequence end = segment.end() + (segment.has(net::kTcpFin) ? 1U : 0U);
    begin_answer(client, reading.answer, end, context);
    return kSpliceTaken;
  }
  if (reading.read == Read::kHold) return hold(packet, segment, client, context.worker);
  return taken(packet, segment, client, context);
}

// While the backend has not answered.
Verdict hear_waiting(Packet& packet, const Segment& segment, const Side& client,
                     Context& context) noexcept {
  const Half& up = client.connection.up;
  if (segment.has(net::kTcpRst)) {
    if (segment.sequence != told(up) && segment.sequence != segment.end()) return kSpliceReset;
    finish(client, context, true);
    return kSpliceTaken;
  }
  if (segment.has(net::kTcpSyn)) return challenge(packet, client, context);
  client.connection.seen = context.now;
  if (segment.sequence <= expected(up)) keep_timestamp(segment, client);
  if (segment.payload == 0 && !segment.has(net::kTcpFin)) return kSpliceTaken;
  const bool had = up.buffer != 0 && segment.payload != 0 && !segment.has(net::kTcpFin) &&
                   segment.end() <= up.own_at + up.buffered;
  if (had) return acknowledge(packet, client, context);
  return hold(packet, segment, client, context.worker);
}

const BackendEntry& backend_of(const Side& side, const Context& context) noexcept {
  return context.snapshot.backends[side.connection.backend.value];
}

// Where the backend does not keep the connection: at a boundary the next request finds another,
// else the client learns now.
bool is_lost(const Side& client, bool keeps) noexcept {
  if (keeps) [[likely]]
    return false;
  const Connection& connection = client.connection;
  const bool between = connection.up.state == StreamState::kHead &&
                       is_quiet(connection, client.exchange, connection.up.next);
  return !between;
}

// A late copy of what the connection that is over had: its request must not be asked again.
bool is_old(const Segment& segment, const Half& up) noexcept {
  return segment.end() <= up.end && up.end - segment.end() < limits::kOldSegment;
}

// The acknowledgement that completes the handshake of a new connection from the same port, while
// the old one, which was reset, would be reset once more.
bool completes_handshake(Packet& packet, const Segment& segment, const Side& client,
                         Context& context) noexcept {
  const bool bare = segment.payload == 0 && segment.has(net::kTcpAck) &&
                    !segment.has(net::kTcpSyn | net::kTcpFin | net::kTcpRst);
  return bare && !client.connection.up.fin &&
         hear_unknown(packet, segment, context) == kSpliceHandshake;
}

Verdict hear_client(Packet& packet, const Segment& segment, SpliceTable::Number number,
                    Context& context) noexcept {
  const Side client = side_of(context.worker, number, true);
  switch (client.connection.phase) {
    case SplicePhase::kFree:
      break;
    case SplicePhase::kReading:
      return hear_reading(packet, segment, client, context);
    case SplicePhase::kConnecting:
      return hear_waiting(packet, segment, client, context);
    case SplicePhase::kOpen:
      if (is_lost(client, backend_of(client, context).keeps_flow(packet.hash)) &&
          !segment.has(net::kTcpRst)) {
        send_bare(client.other(), net::kTcpRst | net::kTcpAck, context);
        forget_connection(number, context);
        return kReplyReset;
      }
      return hear(packet, segment, client, context);
    case SplicePhase::kAnswering:
      return hear_answered(packet, segment, client, context);
    case SplicePhase::kOver:
      if (is_pure_syn(packet)) return hear_unknown(packet, segment, context);
      if (!is_old(segment, client.connection.up) && begins_anew(packet, segment, context)) {
        forget_connection(number, context);
        return hear_unknown(packet, segment, context);
      }
      if (completes_handshake(packet, segment, client, context)) return kSpliceHandshake;
      return hear_over(packet, segment, client, context);
  }
  return kNoFlow;
}

// --- from backends -------------------------------------------------------------------------------

Verdict hear_server(Packet& packet, Segment& segment, SpliceTable::Number number,
                    Context& context) noexcept {
  if (number == SpliceTable::kNone) return hear_left_behind(packet, context);
  const Side server = side_of(context.worker, number, false);
  if (server.connection.phase != SplicePhase::kConnecting) {
    add_timestamps(packet, segment, server, context);
  }
  switch (server.connection.phase) {
    case SplicePhase::kConnecting:
      return hear_connecting(segment, server, context);
    case SplicePhase::kOpen:
      // Only the client's packets have the hash that a drain goes by.
      if (is_lost(server.other(),
                  backend_of(server, context).admission != model::Admission::kDown) &&
          !segment.has(net::kTcpRst)) {
        reset_client(server.other(), context);
        return kReplyReset;
      }
      return hear(packet, segment, server, context);
    case SplicePhase::kOver:
      return hear_over(packet, segment, server, context);
    case SplicePhase::kFree:
    case SplicePhase::kReading:
    case SplicePhase::kAnswering:
      break;
  }
  return kSpliceOver;
}

Verdict splice_one(Packet& packet, Context& context) noexcept {
  // A frame in several buffers cannot be read; the data room is made for frames of the largest
  // port.
  if (packet.contiguous < packet.l4_offset + packet.l4_length) return kTooBig;
  const bool to_client = packet.direction == Direction::kToClient;
  if (to_client) {
    const table::NatRecord& record =
        context.worker.nat.record({packet.nat_address, packet.nat_port});
    if (!record.is_spliced()) return kUndecided;
    if (packet.part == Part::kQuoted) return splice_error(packet, record.spliced(), context);
    if (packet.part != Part::kWhole) return kSpliceFragment;
    Segment segment = read_segment(packet);
    return hear_server(packet, segment, record.spliced(), context);
  }
  const SpliceTable::Number number = find_client(packet, context);
  if (packet.part == Part::kQuoted) {
    return number == SpliceTable::kNone ? kNoFlow : splice_error(packet, number, context);
  }
  if (packet.part != Part::kWhole) return kSpliceFragment;
  const Segment segment = read_segment(packet);
  if (number == SpliceTable::kNone) return hear_unknown(packet, segment, context);
  return hear_client(packet, segment, number, context);
}

}  // namespace

void splice(Burst& burst, Context& context) noexcept {
  for (Packet& packet : burst.unknown()) {
    if (!packet.undecided()) continue;
    const ServiceEntry& service = context.snapshot.services[packet.service.value];
    if (service.splice == nullptr) [[likely]]
      continue;
    packet.verdict = splice_one(packet, context);
  }
}

}  // namespace hawser::pipeline
