// Takes segments of joined connections: checks, acknowledgements, bytes, ends.
#include "hear.h"

#include "finish.h"
#include "forward.h"
#include "mapping.h"
#include "own.h"
#include "send.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

// How far behind what is acknowledged a segment may lie: late duplicates of a fast connection.
constexpr std::uint32_t kOldest = 1U << 20;
// Beyond the window: what a sender may have been told by a packet that we have not seen.
constexpr std::uint32_t kSlack = 1U << 16;

// RFC 9293 section 3.10.7.4, RFC 5961 section 5: fits the window, acknowledges what was sent.
Verdict check(const Segment& segment, const Side& sender) noexcept {
  const Half& data = sender.data();
  const Half& reverse = sender.reverse();
  if (!segment.has(net::kTcpAck)) return kSpliceAcknowledgement;
  const Sequence sent = to_receiver(reverse, reverse.end);
  const Sequence acknowledged = to_receiver(reverse, reverse.acked);
  if (segment.acknowledgement > sent || segment.acknowledgement < acknowledged - kOldest) {
    return kSpliceAcknowledgement;
  }
  if (segment.sequence > data.edge + kSlack || segment.end() < data.acked - kOldest) {
    return kSpliceOutOfWindow;
  }
  return kUndecided;
}

// How far the sender lets the other side go on. True if that is further than before.
bool take_window(const Segment& segment, const Side& sender) noexcept {
  Half& reverse = sender.reverse();
  const std::uint32_t window = std::uint32_t{segment.window} << window_unit_of(sender);
  const Sequence limit = to_sender(reverse, segment.acknowledgement + window);
  if (limit <= reverse.limit) return false;
  reverse.limit = limit;
  return true;
}

// How the backend is that resets: before it has answered, or later. After its own FIN it has only
// heard what it did not want to hear any more.
void count_reset(const Side& server, WorkerState& worker) noexcept {
  const Half& down = server.data();
  if (down.fin) return;
  const Exchange& exchange = server.exchange;
  const bool silent = down.end.value == exchange.syn_us_or_first;
  const bool unanswered = exchange.awaiting && exchange.first_byte;
  stats::BackendCounters& counters = worker.backends[server.connection.backend.value];
  (silent || unanswered ? counters.reset : counters.aborted).add(1);
}

// A reset counts at the exact next number only (RFC 5961 section 3.2).
Verdict hear_reset(Packet& packet, const Segment& segment, const Side& sender,
                   Context& context) noexcept {
  const Half& data = sender.data();
  const bool exact = segment.sequence == data.end || segment.sequence == told(data) ||
                     segment.sequence == expected(data);
  if (!exact) {
    const bool near = segment.sequence > data.acked - kSlack && segment.sequence < data.edge;
    return near ? challenge(packet, sender, context) : kSpliceReset;
  }
  if (!sender.from_client) count_reset(sender, context.worker);
  const Verdict verdict = forward_range(packet, segment, 0, 0, false, sender, context);
  finish(sender, context, true);
  sender.data().fin = true;  // it has said its last
  return verdict;
}

// The segment lies before what the present backend gets: its predecessor had it.
bool is_before(const Segment& segment, const Side& sender) noexcept {
  return sender.from_client && segment.payload != 0 && segment.end() <= sender.connection.base &&
         !segment.has(net::kTcpFin);
}

std::uint32_t first_offset(const Segment& segment, const Side& sender) noexcept {
  if (!sender.from_client || segment.sequence >= sender.connection.base) return 0;
  return std::min(sender.connection.base - segment.sequence, segment.payload);
}

// Where what is to be forwarded begins: a buffer has what lies before, and we deliver that.
std::uint32_t behind_owned(const Segment& segment, std::uint32_t from, const Half& data) noexcept {
  const Sequence begin = segment.sequence + from;
  const Sequence owned = data.own_at + data.buffered;
  const bool owns = data.buffer != 0 && !is_unplaced(data) && begin >= data.own_at && begin < owned;
  return owns ? std::min(owned - segment.sequence, segment.payload) : from;
}

Verdict pass_on(Packet& packet, const Segment& segment, std::uint32_t from, const Side& sender,
                Context& context) noexcept {
  const std::uint32_t first = behind_owned(segment, from, sender.data());
  const bool nothing = first != from && first == segment.payload && !segment.has(net::kTcpFin);
  if (nothing) return acknowledge(packet, sender, context);
  return forward_range(packet, segment, first, segment.payload, false, sender, context);
}

// What the reading of its bytes means for a segment.
Verdict after_reading(const Reading& reading, Packet& packet, const Segment& segment,
                      std::uint32_t from, const Side& sender, Context& context) noexcept {
  const auto to = static_cast<std::uint32_t>(reading.pass_to - segment.sequence);
  const bool some = reading.pass_to > segment.sequence + from && to <= segment.payload;
  const Half& data = sender.data();
  const bool is_open = sender.connection.phase == SplicePhase::kOpen;
  switch (reading.read) {
    case Read::kPlaced:
      return pass_on(packet, segment, from, sender, context);
    case Read::kHold: {
      // While another backend is being joined, its predecessor has had all that lies before.
      const bool passes = some && is_open && reading.pass_to > data.acked;
      Segment rest = segment;
      if (passes) {
        const Verdict front = forward_range(packet, segment, from, to, true, sender, context);
        if (kind_of(front) == VerdictKind::kForward) drop_front(packet, rest, to);
      }
      return hold(packet, rest, sender, context.worker);
    }
    case Read::kTaken: {
      // What lies before the head that a buffer took still has to go.
      const Sequence head = data.own_at;
      if (is_open && head > segment.sequence + from) {
        const auto before = static_cast<std::uint32_t>(head - segment.sequence);
        static_cast<void>(forward_range(packet, segment, from, before, true, sender, context));
      }
      return taken(packet, segment, sender, context);
    }
    case Read::kAnswered: {
      const Side client = sender.from_client ? sender : sender.other();
      const Sequence up_to = sender.from_client
                                 ? segment.end() + (segment.has(net::kTcpFin) ? 1U : 0U)
                                 : told(client.data());
      begin_answer(client, reading.answer, up_to, context);
      return kSpliceTaken;
    }
    case Read::kReset:
      break;
  }
  const Side client = sender.from_client ? sender : sender.other();
  send_bare(client.other(), net::kTcpRst | net::kTcpAck, context);
  reset_client(client, context);
  return kSpliceTaken;
}

// The client gives up in the middle of a head.
bool cuts_head(const Segment& segment, const Half& data) noexcept {
  return segment.has(net::kTcpFin) && is_unplaced(data);
}

Verdict hear_bytes(Packet& packet, const Segment& segment, const Side& sender,
                   Context& context) noexcept {
  Half& data = sender.data();
  if (is_before(segment, sender)) return acknowledge(packet, sender, context);
  const std::uint32_t from = first_offset(segment, sender);
  const Sequence end = segment.end();
  if (end > data.next || (segment.has(net::kTcpFin) && end >= data.next)) {
    // In a tunnel nothing is read, so nothing waits for what is missing before it.
    const bool reads = data.state != StreamState::kTunnel || is_unplaced(data);
    if (reads && segment.sequence > expected(data)) {
      return wait_for_gap(packet, segment, sender, context);
    }
    if (!is_intact(packet)) return kTransportBadChecksum;
    if (!reads && end > data.next) data.next = end;
  }
  if (end <= data.next) return pass_on(packet, segment, from, sender, context);
  const Reading reading = read(packet, segment, sender, context);
  if (reading.read == Read::kTaken && cuts_head(segment, data)) {
    if (sender.exchange.decided && sender.from_client) {
      return hold(packet, segment, sender, context.worker);
    }
    if (!sender.from_client) {
      // A head that is whole only waits for its turn.
      if (is_whole_response(sender, context)) {
        return after_reading(reading, packet, segment, from, sender, context);
      }
      return after_reading({.read = Read::kReset, .pass_to = end}, packet, segment, from, sender,
                           context);
    }
    return after_reading(
        {.read = Read::kAnswered, .pass_to = end, .answer = answer_with(Refusal::kHeadCut)}, packet,
        segment, from, sender, context);
  }
  return after_reading(reading, packet, segment, from, sender, context);
}

// A segment without bytes. One that was overtaken says nothing new. An acknowledgement of the PROXY
// header alone is for us.
Verdict hear_bare(Packet& packet, const Segment& segment, const Side& sender,
                  Context& context) noexcept {
  const Connection& connection = sender.connection;
  const Half& reverse = sender.reverse();
  if (segment.acknowledgement < to_receiver(reverse, reverse.acked)) return kSpliceDuplicate;
  if (!sender.from_client && connection.up.prelude != 0 &&
      to_sender(connection.up, segment.acknowledgement) < connection.base) {
    return kSpliceTaken;
  }
  return forward_whole(packet, segment, sender, context);
}

void close_when_done(const Side& side, Context& context) noexcept {
  const Connection& connection = side.connection;
  const Half& up = connection.up;
  const Half& down = connection.down;
  const bool done = up.fin && down.fin && up.acked == up.end && down.acked == down.end;
  if (done && connection.phase == SplicePhase::kOpen) finish(side, context);
}

struct Progress {
  Sequence up;
  Sequence down;
  bool awaiting;
};
Progress progress_of(const Side& side) noexcept {
  return {expected(side.connection.up), expected(side.connection.down), side.exchange.awaiting};
}

}  // namespace

Verdict challenge(Packet& packet, const Side& sender, Context& context) noexcept {
  const l4::Rate rate{limits::kChallengeRate, limits::kChallengeRate};
  if (!context.worker.splice.challenges.take(rate, context.now_ms)) return kSpliceReset;
  return acknowledge(packet, sender, context);
}

Verdict hear(Packet& packet, const Segment& segment, const Side& sender,
             Context& context) noexcept {
  Connection& connection = sender.connection;
  if (segment.has(net::kTcpRst)) return hear_reset(packet, segment, sender, context);
  // The backend's SYN-ACK again: our acknowledgement was lost. The client's: it has lost its mind,
  // or is somebody else (RFC 5961 section 4).
  if (segment.has(net::kTcpSyn)) return challenge(packet, sender, context);
  if (const Verdict failed = check(segment, sender); failed != kUndecided) return failed;
  connection.seen = context.now;
  if (segment.sequence <= expected(sender.data())) keep_timestamp(segment, sender);
  const Progress before = progress_of(sender);
  const bool acknowledged = take_acknowledgement(sender, segment.acknowledgement, context);
  const bool opened = take_window(segment, sender);
  if (sender.reverse().owns && (acknowledged || opened)) send_owned(sender.other(), context);
  Verdict verdict = kUndecided;
  if (segment.payload == 0 && !segment.has(net::kTcpFin)) {
    verdict = hear_bare(packet, segment, sender, context);
  } else {
    verdict = hear_bytes(packet, segment, sender, context);
  }
  if (connection.phase != SplicePhase::kOpen) return verdict;
  const Progress after = progress_of(sender);
  const bool moved = acknowledged || before.up != after.up || before.down != after.down ||
                     before.awaiting != after.awaiting;
  if (moved) {
    const Side client = sender.from_client ? sender : sender.other();
    place_buffered(client, context);
    place_buffered_response(client.other(), context);
    release_held(sender, context.worker);
    close_when_done(sender, context);
  }
  return verdict;
}

Verdict hear_over(Packet& packet, const Segment& segment, const Side& sender,
                  Context& context) noexcept {
  const Connection& connection = sender.connection;
  const bool was_joined = connection.local.port != 0;
  if (segment.has(net::kTcpRst)) return kSpliceOver;
  // The connection was reset, and whoever still speaks has not heard of it: the reset was lost, or
  // did not fit its window.
  if (was_joined && !sender.data().fin) return kReplyReset;
  if (segment.has(net::kTcpSyn)) return kSpliceOver;
  if (was_joined && check(segment, sender) == kUndecided && segment.end() <= sender.data().end) {
    static_cast<void>(take_acknowledgement(sender, segment.acknowledgement, context));
    return forward_whole(packet, segment, sender, context);
  }
  // The client's FIN after our answer, once more.
  const bool answers = sender.from_client && !was_joined && segment.has(net::kTcpFin);
  return answers ? acknowledge(packet, sender, context) : kSpliceOver;
}

}  // namespace hawser::pipeline
