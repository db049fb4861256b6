// Goes through a stream: heads, bodies, chunks.
#include "read.h"

#include <algorithm>
#include <cstring>

#include "mapping.h"
#include "own.h"

namespace hawser::pipeline {

namespace {

Reading broken(Sequence at, const Side& sender, l7::HttpFault fault) noexcept {
  // Part of the message has gone to its receiver already.
  if (!sender.from_client || !may_answer(sender.reverse()))
    return {.read = Read::kReset, .pass_to = at};
  return {.read = Read::kAnswered, .pass_to = at, .answer = answer_to_fault(fault)};
}

Reading read_chunks(std::span<const std::uint8_t> bytes, const Side& sender) noexcept {
  Half& half = sender.data();
  const auto step = half.chunked.read(bytes);
  half.next += static_cast<std::uint32_t>(step.used);
  switch (step.state) {
    case l7::ChunkedReader::State::kReading:
      break;
    case l7::ChunkedReader::State::kSkipping:
      half.left = step.skip;
      reach_further(half);
      break;
    case l7::ChunkedReader::State::kComplete:
      half.state = StreamState::kHead;
      break;
    case l7::ChunkedReader::State::kRefused:
      return broken(half.next, sender, step.fault);
  }
  return {.read = Read::kPlaced, .pass_to = half.next};
}

}  // namespace

Sequence expected(const Half& half) noexcept {
  return is_unplaced(half) ? half.own_at + half.buffered : half.next;
}

bool may_answer(const Half& down) noexcept {
  return down.state == StreamState::kHead && down.left == 0 && down.end == down.next &&
         down.acked >= down.end && !down.owns && down.buffer == 0 && !down.fin;
}

bool is_quiet(const Connection& connection, const Exchange& exchange, Sequence at) noexcept {
  return !exchange.awaiting && connection.up.acked >= at && may_answer(connection.down);
}

bool is_intact(const Packet& packet) noexcept {
  if (packet.transport_checksum != ChecksumSeen::kUnknown) return true;  // bad ones were dropped
  const std::uint8_t* const tcp = packet.data + packet.l4_offset;
  const bool ipv4 = packet.family == net::Family::kIpv4;
  const net::IpAddress source = ipv4 ? net::IpAddress(source_address<Ipv4Traits>(packet))
                                     : net::IpAddress(source_address<Ipv6Traits>(packet));
  const std::uint64_t sum =
      net::pseudo_header_sum(source, destination(packet), net::kProtocolTcp, packet.l4_length);
  return net::checksum({tcp, packet.l4_length}, sum) == net::Big16();
}

void reach_further(Half& half) noexcept {
  const auto step =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(half.left, limits::kKnownAhead));
  half.next += step;
  half.left -= step;
  if (half.left == 0 && half.state == StreamState::kBody) half.state = StreamState::kHead;
}

void begin_body(Half& half, const l7::MessageHead& head) noexcept {
  half.left = 0;
  half.state = StreamState::kHead;
  switch (head.framing) {
    case l7::Framing::kNone:
      break;
    case l7::Framing::kLength:
      half.state = StreamState::kBody;
      half.left = head.content_length;
      reach_further(half);
      break;
    case l7::Framing::kChunked:
      half.state = StreamState::kChunked;
      half.chunked = {};
      break;
    case l7::Framing::kUntilClose:
      half.state = StreamState::kTunnel;
      break;
  }
}

void become_tunnel(const Side& side, Context& context) noexcept {
  Connection& connection = side.connection;
  connection.up.state = connection.down.state = StreamState::kTunnel;
  connection.up.left = connection.down.left = 0;
  side.exchange.awaiting = false;
  const ServiceEntry& service = context.snapshot.services[connection.service.value];
  if (service.splice != nullptr) {
    service.splice->counters_of(context.worker.id).tunnels.add(1);
  }
}

std::optional<std::size_t> fill(std::span<const std::uint8_t> bytes, const Side& sender,
                                Context& context) noexcept {
  Half& half = sender.data();
  if (half.buffer == 0) {
    half.buffer = context.worker.splice.heads.take();
    if (half.buffer == 0) return std::nullopt;
    half.own_at = half.next;
    half.buffered = 0;
    half.own_sent = 0;
    // The sender may fill the buffer, whatever the receiver takes at a time.
    const Sequence room = half.own_at + limits::kMaxHttpHead;
    if (room > half.edge) half.edge = room;
    if (sender.from_client) {
      const ServiceEntry& service = context.snapshot.services[sender.connection.service.value];
      const std::uint32_t timeout = service.splice == nullptr ? 0 : service.splice->head_timeout_ms;
      sender.exchange.head_due_ms = context.now_ms + timeout;
      sender.exchange.reading = true;
      schedule(sender, context);
    }
  }
  const auto buffer = buffer_of(sender, context.worker);
  const std::size_t count = std::min(bytes.size(), buffer.size() - half.buffered);
  if (count != 0) std::memcpy(buffer.data() + half.buffered, bytes.data(), count);
  half.buffered = static_cast<std::uint16_t>(half.buffered + count);
  return count;
}

Reading read(Packet& packet, const Segment& segment, const Side& sender,
             Context& context) noexcept {
  Half& half = sender.data();
  const Sequence end = segment.end();
  const auto payload = payload_of(packet, segment);
  Reading reading{.read = Read::kPlaced, .pass_to = end};
  while (half.next < end) {
    const Sequence at = expected(half);
    if (at >= end) return {.read = Read::kTaken, .pass_to = end};
    const auto bytes = payload.subspan(at - segment.sequence);
    switch (half.state) {
      case StreamState::kTunnel:
        half.next = end;
        continue;
      case StreamState::kBody:
        reach_further(half);
        continue;
      case StreamState::kChunked:
        if (half.left > 0) {
          reach_further(half);
          continue;
        }
        reading = read_chunks(bytes, sender);
        break;
      case StreamState::kHead:
        reading = sender.from_client ? read_request(bytes, sender, context)
                                     : read_response(bytes, sender, context);
        break;
    }
    if (reading.read != Read::kPlaced) return reading;
  }
  reading.pass_to = end;
  return reading;
}

}  // namespace hawser::pipeline
