// Delivers what the balancer owns, and keeps what waits.
#include "own.h"

#include <algorithm>
#include <cstring>

#include "../as_received.h"
#include "forward.h"
#include "hawser/l4/proxy_header.h"
#include "read.h"
#include "send.h"

namespace hawser::pipeline {
namespace {

using OwnedBytes =
    std::array<std::uint8_t, l4::kProxyHeaderIpv6 + limits::kMaxHttpHead + limits::kTextBytes>;

// PROXY header and buffer, one after the other. How many bytes.
std::size_t gather(const Side& owner, const Context& context, OwnedBytes& bytes) noexcept {
  const Half& half = owner.data();
  std::size_t at = 0;
  if (half.prelude != 0) {
    const Ends ends = ends_to(owner, context);  // as the client sees them
    at = l4::write_proxy_header({bytes.data(), half.prelude}, ends.destination,
                                ends.destination_port, ends.source, ends.source_port);
  }
  const bool placed = owner.connection.phase == SplicePhase::kAnswering || !is_unplaced(half);
  if (half.buffer != 0 && placed) {
    const auto buffer = buffer_of(owner, context.worker);
    std::memcpy(bytes.data() + at, buffer.data(), half.buffered);
    at += half.buffered;
  }
  return at;
}

// The sequence number and the ports of a packet as it came; its headers were checked before.
struct Identity {
  net::Big32 sequence;
  net::Big16 source_port;
  std::uint16_t length = 0;
};

Identity identity_of(const Packet& packet) noexcept {
  const auto tcp = load<net::TcpHeader>(packet.data + packet.l4_offset);
  return {tcp.sequence, tcp.source_port, packet.length};
}

// Nothing is missing before it any more. What came from the client's port may be the backend's,
// when both use the same: then it goes once too often.
bool is_in_turn(const Packet& held, const Connection& connection) noexcept {
  const Identity identity = identity_of(held);
  const Sequence sequence{identity.sequence.host()};
  const bool from_client = identity.source_port == connection.client_port;
  return sequence <= expected(from_client ? connection.up : connection.down);
}

}  // namespace

std::span<std::uint8_t> buffer_of(const Side& owner, WorkerState& worker) noexcept {
  const Half& half = owner.data();
  if (owner.connection.phase == SplicePhase::kAnswering) return worker.splice.texts.at(half.buffer);
  return worker.splice.heads.at(half.buffer);
}

namespace {

// What of the owned bytes goes now, in the owner's numbers.
struct Turn {
  Sequence from;
  Sequence to;
};
Turn next_turn(const Half& half, Sequence raw_at, Sequence raw_end, bool again) noexcept {
  Turn turn{half.acked > raw_at ? half.acked : raw_at, raw_end};
  const Sequence sent = raw_at + half.own_sent;
  if (!again && sent > turn.from) turn.from = sent;
  if (turn.to > half.limit) turn.to = half.limit;
  if (turn.to < turn.from) turn.to = turn.from;
  if (again && turn.to == turn.from && turn.to < raw_end) turn.to += 1;
  return turn;
}

}  // namespace

void send_owned(const Side& owner, Context& context, bool again) noexcept {
  Half& half = owner.data();
  const Side receiver = owner.other();
  OwnedBytes raw;
  const std::size_t size = gather(owner, context, raw);
  const Sequence raw_at = half.own_at - half.prelude;
  const Sequence raw_end = raw_at + static_cast<std::uint32_t>(size);
  const Turn turn = next_turn(half, raw_at, raw_end, again);
  const bool to_end = turn.to == raw_end;
  const Sequence first = to_receiver(half, turn.from);
  const Sequence last = to_receiver(half, turn.to);
  std::array<std::uint8_t, std::tuple_size_v<OwnedBytes> + limits::kTextBytes> bytes;
  const std::size_t total = last > first ? last - first : 0;
  compose(half, raw_at, {raw.data(), size}, first, {bytes.data(), total}, context.worker);
  const OwnSegment shape = segment_to(receiver, first, net::kTcpAck);
  const std::size_t options = header_length(shape) - sizeof(net::TcpHeader);
  const std::size_t most = half.mss > options + 64 ? half.mss - options : 64;
  const bool finishes = half.own_fin && to_end;
  for (std::size_t at = 0; at < total || (finishes && at == total); at += most) {
    const std::size_t count = std::min(most, total - at);
    const bool is_last = at + count == total;
    auto flags =
        static_cast<std::uint8_t>(net::kTcpAck | (is_last && count != 0 ? net::kTcpPsh : 0));
    if (is_last && finishes) flags |= net::kTcpFin;
    const auto made =
        make(receiver, segment_to(receiver, first + static_cast<std::uint32_t>(at), flags), count,
             Verdict::kSpliceOwn, context);
    if (!made) break;
    std::memcpy(made->payload.data(), bytes.data() + at, count);
    send(*made, receiver, context);
    if (is_last) break;
  }
  if (turn.to > raw_at + half.own_sent)
    half.own_sent = static_cast<std::uint16_t>(turn.to - raw_at);
  const Sequence end = turn.to + (finishes ? 1U : 0U);
  if (end > half.end) half.end = end;
  half.owns = true;
  schedule(owner, context);
}

void release_owned(const Side& owner, Context& context) noexcept {
  Half& half = owner.data();
  if (half.acked >= half.own_at && half.prelude != 0) {
    half.own_sent = static_cast<std::uint16_t>(half.own_sent - half.prelude);
    half.prelude = 0;
  }
  if (half.prelude != 0) return;
  const bool answering = owner.connection.phase == SplicePhase::kAnswering;
  if (!answering && is_unplaced(half)) {
    half.owns = false;
    half.own_sent = 0;
    schedule(owner, context);
    return;
  }
  if (half.acked < own_end(half)) return;
  if (owner.connection.phase == SplicePhase::kAnswering) {
    context.worker.splice.texts.release(half.buffer);
  } else {
    context.worker.splice.heads.release(half.buffer);
  }
  half.buffer = 0;
  half.buffered = 0;
  half.own_sent = 0;
  half.owns = false;
  owner.connection.attempts = 0;
  schedule(owner, context);
}

void drop_owned(const Side& owner, WorkerState& worker) noexcept {
  Half& half = owner.data();
  if (owner.connection.phase == SplicePhase::kAnswering) {
    worker.splice.texts.release(half.buffer);
  } else {
    worker.splice.heads.release(half.buffer);
  }
  worker.splice.texts.release(half.edit);
  half.buffer = half.buffered = half.own_sent = 0;
  half.edit = half.edit_length = 0;
  half.prelude = 0;
  half.owns = half.own_fin = false;
}

void schedule(const Side& side, Context& context) noexcept {
  const Connection& connection = side.connection;
  SpliceTable& connections = context.worker.splice.connections;
  const auto after = [&](std::uint32_t milliseconds) {
    connections.arm(side.number, context.now_ms + milliseconds);
  };
  switch (connection.phase) {
    case SplicePhase::kFree:
      break;
    case SplicePhase::kReading:
      connections.arm(side.number, side.exchange.head_due_ms);
      break;
    case SplicePhase::kConnecting:
      after(limits::kSpliceSynMilliseconds);
      break;
    case SplicePhase::kOpen:
      if (connection.up.owns || connection.down.owns) {
        after(limits::kOwnedMilliseconds << connection.attempts);
      } else if (side.exchange.reading) {
        connections.arm(side.number, side.exchange.head_due_ms);
      } else {
        connections.cancel(side.number);
      }
      break;
    case SplicePhase::kAnswering:
      after(limits::kOwnedMilliseconds << connection.attempts);
      break;
    case SplicePhase::kOver:
      after(limits::kSpliceLinger);
      break;
  }
}

void release_held(const Side& side, WorkerState& worker) noexcept {
  Exchange& exchange = side.exchange;
  HeldPackets& held = worker.splice.held;
  for (std::uint8_t left = exchange.held_count; left > 0; --left) {
    const Packet packet = held.take_first(exchange.held);
    const bool goes = is_in_turn(packet, side.connection) && worker.outbox.release(packet);
    // A place has just become free.
    if (!goes) static_cast<void>(held.append(exchange.held, packet));
    exchange.held_count = static_cast<std::uint8_t>(exchange.held_count - (goes ? 1 : 0));
  }
}

Verdict hold(const Packet& packet, const Segment& segment, const Side& side,
             WorkerState& worker) noexcept {
  Exchange& exchange = side.exchange;
  bool known = false;
  const Identity own = identity_of(packet);
  worker.splice.held.visit(exchange.held, [&](const Packet& held) {
    const Identity other = identity_of(held);
    known = other.sequence == own.sequence && other.source_port == own.source_port &&
            held.length >= own.length;
    return !known;
  });
  if (known && segment.payload != 0) {
    // Its sender has lost patience: whatever it waits for is looked at once more.
    release_held(side, worker);
    return Verdict::kSpliceDuplicate;
  }
  if (exchange.held_count == limits::kHeldPerConnection) return Verdict::kHoldFull;
  if (!worker.splice.held.append(exchange.held, as_received(packet))) return Verdict::kHoldFull;
  ++exchange.held_count;
  return Verdict::kHoldRequest;
}

void drop_held(const Side& side, WorkerState& worker) noexcept {
  side.exchange.held_count = 0;
  worker.splice.held.move_all(side.exchange.held, worker.splice.orphans);
}

}  // namespace hawser::pipeline
