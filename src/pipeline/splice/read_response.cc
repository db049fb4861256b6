// Reads the heads of responses: how long they are, and where a cookie goes in.
#include <algorithm>
#include <cstring>

#include "cookie_line.h"
#include "mapping.h"
#include "own.h"
#include "read.h"

namespace hawser::pipeline {
namespace {

constexpr std::uint16_t kSwitching = 101;

Reading at(Read read, Sequence pass_to) noexcept {
  return {.read = read, .pass_to = pass_to};
}

// Nobody but the user may keep a response that carries the user's pin (affinity.md section 2).
bool is_kept_private(const l7::ResponseHead& head) noexcept {
  for (const l7::Header& header : head.all()) {
    if (!l7::equals_ignoring_case(header.name, "cache-control")) continue;
    for (const std::string_view word : {"no-store", "private"}) {
      const auto found =
          std::search(header.value.begin(), header.value.end(), word.begin(), word.end(),
                      [](char a, char b) { return (a | 0x20) == b || a == b; });
      if (found != header.value.end()) return true;
    }
  }
  return false;
}

void drop_cookie(const Side& server, WorkerState& worker) noexcept {
  worker.splice.texts.release(server.exchange.cookie);
  server.exchange.cookie = 0;
}

// Set-Cookie and, if need be, Cache-Control behind the status line.
void insert_cookie(const l7::ResponseHead& head, Sequence pos, const Side& server,
                   Context& context) noexcept {
  WorkerState& worker = context.worker;
  const std::string_view line = cookie_line(server, worker);
  if (line.empty()) {
    drop_cookie(server, worker);
    return;
  }
  constexpr std::string_view kPrivate = "Cache-Control: private\r\n";
  const std::string_view control = is_kept_private(head) ? std::string_view{} : kPrivate;
  Half& down = server.connection.down;
  down.edit = worker.splice.texts.take();
  if (down.edit == 0) return;
  const auto text = worker.splice.texts.at(down.edit);
  const std::size_t size = line.size() + control.size();
  if (size <= text.size()) {
    std::memcpy(text.data(), line.data(), line.size());
    if (!control.empty()) {
      std::memcpy(text.data() + line.size(), control.data(), control.size());
    }
    down.edit_length = static_cast<std::uint16_t>(size);
    down.edit_at = pos + static_cast<std::uint32_t>(head.line_end);
    worker.splice.edits.add(1);
  } else {
    worker.splice.texts.release(down.edit);
    down.edit = 0;
  }
  drop_cookie(server, worker);
}

void time_first_byte(const Side& server, Context& context) noexcept {
  Exchange& exchange = server.exchange;
  if (!exchange.first_byte) return;
  exchange.first_byte = false;
  const std::uint32_t took = context.now_us - exchange.since_us;
  context.worker.time(server.connection.backend, &stats::BackendTimes::response, took);
  const ServiceEntry& service = context.snapshot.services[server.connection.service.value];
  if (service.splice != nullptr) service.splice->counters_of(context.worker.id).answered.add(took);
}

// The head at `pos` passes to the client.
Reading place(const l7::ResponseHead& head, Sequence pos, const Side& server,
              Context& context) noexcept {
  Exchange& exchange = server.exchange;
  Half& down = server.connection.down;
  time_first_byte(server, context);
  const bool interim = head.status < 200 && head.status != kSwitching;
  constexpr std::uint16_t kServerError = 500;
  if (!interim) {
    if (down.edit_length != 0) return at(Read::kHold, pos);
    insert_cookie(head, pos, server, context);
  }
  if (head.status >= kServerError) {
    context.worker.backends[server.connection.backend.value].server_errors.add(1);
  }
  down.next = pos + static_cast<std::uint32_t>(head.length);
  if (interim) return at(Read::kPlaced, down.next);
  const bool tunnel = head.status == kSwitching || (exchange.for_connect && head.status < 300);
  if (tunnel) {
    become_tunnel(server, context);
    return at(Read::kPlaced, down.next);
  }
  begin_body(down, head);
  // What ends with the connection is the last response on it.
  exchange.awaiting = head.framing == l7::Framing::kUntilClose;
  return at(Read::kPlaced, down.next);
}

Reading bad(const Side& server, l7::HttpFault fault, Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[server.connection.service.value];
  if (service.splice != nullptr) {
    service.splice->counters_of(context.worker.id).faults[static_cast<std::size_t>(fault)].add(1);
  }
  const Half& down = server.connection.down;
  // 502 if the client has all of what came before; else it can only be cut off.
  const bool clean = down.acked >= down.end && down.next == down.end;
  if (!clean) return at(Read::kReset, down.next);
  return {
      .read = Read::kAnswered, .pass_to = down.next, .answer = answer_with(Refusal::kBadResponse)};
}

l7::HeadResult parse(std::span<const std::uint8_t> bytes, const Side& server,
                     Context& context) noexcept {
  return l7::parse_response_head(bytes, server.exchange.for_head, server.exchange.for_connect,
                                 context.worker.splice.response);
}

Reading own(const Reading& reading, const Side& server, Context& context) noexcept {
  Half& down = server.connection.down;
  const Sequence end = down.own_at + down.buffered;
  if (reading.read == Read::kPlaced) {
    down.owns = true;
    send_owned(server, context);
    return at(Read::kPlaced, end);
  }
  return reading.read == Read::kHold ? at(Read::kTaken, end) : reading;
}

Reading read_in_pieces(std::span<const std::uint8_t> bytes, const Side& server,
                       Context& context) noexcept {
  Half& down = server.connection.down;
  const auto taken = fill(bytes, server, context);
  // The backend sends it again, until a buffer is free.
  if (!taken) return at(Read::kHold, down.next);
  const auto buffer = buffer_of(server, context.worker);
  const Sequence received = down.own_at + down.buffered;
  const bool full = down.buffered == buffer.size();
  if (!full && std::memchr(bytes.data(), '\n', *taken) == nullptr) {
    return at(Read::kTaken, received);
  }
  const l7::HeadResult result = parse(buffer.first(down.buffered), server, context);
  if (result.state == l7::HeadState::kIncomplete) return at(Read::kTaken, received);
  if (result.state == l7::HeadState::kRefused) return bad(server, result.fault, context);
  const l7::ResponseHead& head = context.worker.splice.response;
  down.buffered = static_cast<std::uint16_t>(head.length);
  return own(place(head, down.own_at, server, context), server, context);
}

}  // namespace

bool is_whole_response(const Side& server, Context& context) noexcept {
  const Half& down = server.connection.down;
  const auto bytes = buffer_of(server, context.worker).first(down.buffered);
  const l7::HeadResult result = parse(bytes, server, context);
  return result.state == l7::HeadState::kComplete &&
         context.worker.splice.response.length == down.buffered;
}

Reading read_response(std::span<const std::uint8_t> bytes, const Side& server,
                      Context& context) noexcept {
  Half& down = server.connection.down;
  const bool delivering = down.buffer != 0 && !is_unplaced(down);
  if (delivering) return at(Read::kHold, down.next);
  if (!server.exchange.awaiting) {
    // Nobody asked: a server that speaks on its own can only be passed on.
    become_tunnel(server, context);
    return at(Read::kPlaced, down.next);
  }
  if (down.buffer != 0) {
    if (is_whole_response(server, context)) return at(Read::kHold, down.next);
    return read_in_pieces(bytes, server, context);
  }
  const l7::HeadResult result = parse(bytes, server, context);
  switch (result.state) {
    case l7::HeadState::kIncomplete:
      return read_in_pieces(bytes, server, context);
    case l7::HeadState::kComplete:
      return place(context.worker.splice.response, down.next, server, context);
    case l7::HeadState::kRefused:
      break;
  }
  return bad(server, result.fault, context);
}

void place_buffered_response(const Side& server, Context& context) noexcept {
  Half& down = server.connection.down;
  if (server.connection.phase != SplicePhase::kOpen) return;
  if (!is_unplaced(down) || !is_whole_response(server, context)) return;
  static_cast<void>(
      own(place(context.worker.splice.response, down.own_at, server, context), server, context));
}

}  // namespace hawser::pipeline
