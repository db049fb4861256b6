// Reads the heads of requests, and sends each where it belongs.
#include <algorithm>
#include <charconv>
#include <cstring>

#include "backend.h"
#include "cookie_line.h"
#include "leave.h"
#include "mapping.h"
#include "own.h"
#include "read.h"

namespace hawser::pipeline {
namespace {

Reading at(Read read, Sequence pass_to) noexcept {
  return {.read = read, .pass_to = pass_to};
}

const ServiceEntry& service_of(const Side& side, const Context& context) noexcept {
  return context.snapshot.services[side.connection.service.value];
}

// --- X-Forwarded-For -----------------------------------------------------------------------------

// "X-Forwarded-For: 192.0.2.1\r\n" behind the request line, or ", 192.0.2.1" behind the last value.
bool insert_forwarded_for(const Side& client, const l7::RequestHead& head, Sequence pos,
                          Context& context) noexcept {
  constexpr std::string_view kName = "X-Forwarded-For: ";
  constexpr std::size_t kLongestAddress = 46;
  Half& up = client.connection.up;
  const std::uint16_t text = context.worker.splice.texts.take();
  if (text == 0) return false;
  std::array<char, kLongestAddress> address{};
  const std::size_t address_size = net::format_to(address, client_of(client.connection));
  char* out = reinterpret_cast<char*>(context.worker.splice.texts.at(text).data());
  std::size_t size = 0;
  const auto put = [&](std::string_view part) {
    std::memcpy(out + size, part.data(), part.size());
    size += part.size();
  };
  const bool appends = head.forwarded_for_end != 0;
  put(appends ? std::string_view(", ") : kName);
  put({address.data(), address_size});
  if (!appends) put("\r\n");
  const std::size_t offset = appends ? head.forwarded_for_end : head.line_end;
  up.edit = text;
  up.edit_length = static_cast<std::uint16_t>(size);
  up.edit_at = pos + static_cast<std::uint32_t>(offset);
  context.worker.splice.edits.add(1);
  return true;
}

// --- the decision --------------------------------------------------------------------------------

bool is_within_rate(const model::Rule& rule, std::size_t index, const Side& client,
                    Context& context) noexcept {
  const SpliceService& splice = *service_of(client, context).splice;
  const l4::Rate& rate = splice.rule_rates[index];
  if (rate.per_second == 0) return true;
  if (!rule.rate.by_source) {
    return splice.counters_of(context.worker.id).buckets[index].take(rate, context.now_ms);
  }
  const net::IpAddress address = client_of(client.connection);
  const net::IpAddress prefix = net::masked(address, address.is_ipv4() ? 32 : 64);
  const std::uint64_t key =
      hash::mix(load<std::uint64_t>(prefix.bytes.data()) ^
                hash::mix(load<std::uint64_t>(prefix.bytes.data() + 8) ^
                          (std::uint64_t{client.connection.service.value} << 32 | (index + 1))));
  return context.worker.sources.take(key, rate, context.now_ms);
}

void count_decision(const Decision& decision, SpliceCounters& counters) noexcept {
  using enum Reason;
  counters.requests.add(1);
  if (decision.rule != l7::RuleSet::kNone) counters.rules[decision.rule].add(1);
  if (decision.had_cookie && decision.cookie_fault != affinity::CookieFault::kNone) {
    counters.cookies[static_cast<std::size_t>(decision.cookie_fault)].add(1);
  }
  if (decision.reason == kHome) counters.sessions_kept.add(1);
  if (decision.reason == kMoved) counters.sessions_moved.add(1);
  if (decision.reason == kFirstContact) counters.sessions_new.add(1);
}

// A session is live once its cookie has come back, which proves it sound: a program that keeps none
// has none. Mixed with a secret, so that nobody can pick ids that count for many.
void note_session(const Decision& decision, const SpliceService& splice,
                  Context& context) noexcept {
  const bool known = decision.reason == Reason::kHome || decision.reason == Reason::kMoved;
  WorkerState& worker = context.worker;
  if (!known || decision.backend.value >= worker.sessions.size()) return;
  const auto secret = load<std::uint64_t>(context.snapshot.splice_keys.secret.data());
  const std::uint32_t now = affinity::cookie_time(context.unix_seconds);
  worker.sessions[decision.backend.value].see(hash::mix(decision.session.id ^ secret),
                                              splice.window.bucket(now));
}

// Decides the request at `next` once; the answer when it is refused.
std::optional<Answer> decide_once(const Request& request, const Side& client, Context& context) {
  Exchange& exchange = client.exchange;
  if (exchange.decided) return std::nullopt;
  const ServiceEntry& service = service_of(client, context);
  const Decision decision =
      decide(request, client.connection.service, service, context.worker.id, context);
  const model::Rule* rule = decision.rule == l7::RuleSet::kNone
                                ? nullptr
                                : &service.splice->rules->rules()[decision.rule];
  context.worker.splice.drawn.add(1);
  count_decision(decision, service.splice->counters_of(context.worker.id));
  if (decision.spilled) context.worker.spilled.add(1);
  if (decision.reason == Reason::kRefused) {
    const bool tls = request.head == nullptr;
    return Answer{.status = tls ? std::uint16_t{0} : decision.status,
                  .refusal = decision.refusal,
                  .rule = rule,
                  .request = request.head};
  }
  if (rule != nullptr && !is_within_rate(*rule, decision.rule, client, context)) {
    Answer answer = answer_with(Refusal::kRate);
    if (request.head == nullptr) answer.status = 0;
    answer.request = request.head;
    return answer;
  }
  exchange.decided = true;
  exchange.reading = false;  // however long its turn takes to come
  exchange.for_head = request.head != nullptr && request.head->is_head;
  exchange.wanted = decision.backend;
  // What the rule asks for, not its number: a retry may come when there are other rules.
  exchange.generation =
      rule == nullptr ? std::uint16_t{0} : service.splice->rule_generations[decision.rule];
  exchange.sticky = rule == nullptr || rule->sticky;
  exchange.since_us = context.now_us | 1U;
  prepare_cookie(client, decision, context);
  note_session(decision, *service.splice, context);
  return std::nullopt;
}

// --- placing -------------------------------------------------------------------------------------

// The head at `pos` passes to the backend that is there. False: not yet.
bool place(const l7::RequestHead& head, Sequence pos, const Side& client,
           Context& context) noexcept {
  Exchange& exchange = client.exchange;
  Half& up = client.connection.up;
  const bool inserts =
      service_of(client, context).client_address == model::ClientAddress::kForwardedFor;
  if (inserts && (up.edit_length != 0 || !insert_forwarded_for(client, head, pos, context))) {
    return false;
  }
  context.worker.backends[client.connection.backend.value].requests.add(1);
  up.next = pos + static_cast<std::uint32_t>(head.length);
  begin_body(up, head);
  exchange.decided = false;
  exchange.reading = false;
  exchange.awaiting = true;
  exchange.first_byte = true;
  exchange.for_head = head.is_head;
  exchange.for_connect = head.is_connect;
  exchange.for_upgrade = head.upgrade;
  return true;
}

// Bytes that are no HTTP/1 but may pass all the same: TLS, HTTP/2 with prior knowledge.
void place_tunnel(const Side& client, Context& context) noexcept {
  client.exchange.decided = false;
  client.exchange.reading = false;
  become_tunnel(client, context);
}

// The backend is there, is to be joined first, or must wait for its turn. `pos`: where the head
// begins.
Read reach_backend(const Side& client, Sequence pos, Context& context) noexcept {
  Connection& connection = client.connection;
  Exchange& exchange = client.exchange;
  const auto begin = [&] {
    return connect(client, exchange.wanted, pos, context) ? Read::kHold : Read::kAnswered;
  };
  if (connection.phase == SplicePhase::kReading) return begin();
  if (connection.phase != SplicePhase::kOpen) return Read::kHold;
  // It has closed already, and the client knows: nobody else can answer on this connection.
  if (connection.down.fin) return Read::kPlaced;
  const BackendEntry& backend = context.snapshot.backends[connection.backend.value];
  if (exchange.wanted == connection.backend && backend.admission != model::Admission::kDown) {
    return Read::kPlaced;
  }
  if (!is_quiet(connection, exchange, pos)) return Read::kHold;
  service_of(client, context).splice->counters_of(context.worker.id).resplices.add(1);
  leave_backend(client, context);
  return begin();
}

Request request_of(const Side& client, BackendId current) noexcept {
  return {.client = client_of(client.connection),
          .client_port = client.connection.client_port,
          .current = current};
}

// An answer must not overtake what is on its way to the client.
Reading answer_in_turn(const Answer& answer, const Side& client, Sequence pos) noexcept {
  const bool open = client.connection.phase == SplicePhase::kOpen;
  if (open && client.connection.down.fin) return at(Read::kReset, pos);
  if (open && !is_quiet(client.connection, client.exchange, pos)) return at(Read::kHold, pos);
  return {.read = Read::kAnswered, .pass_to = pos, .answer = answer};
}

// A complete head, in the packet or in the buffer.
Reading settle(const l7::RequestHead& head, Sequence pos, const Side& client,
               Context& context) noexcept {
  Request request = request_of(client, client.connection.backend);
  request.head = &head;
  if (const auto answer = decide_once(request, client, context)) {
    return answer_in_turn(*answer, client, pos);
  }
  const Read reached = reach_backend(client, pos, context);
  if (reached == Read::kAnswered) {
    return {.read = reached, .pass_to = pos, .answer = answer_with(Refusal::kNoRoom)};
  }
  if (reached != Read::kPlaced) return at(reached, pos);
  return at(place(head, pos, client, context) ? Read::kPlaced : Read::kHold, pos);
}

Reading settle_tunnel(const l7::ClientHello* hello, Sequence pos, const Side& client,
                      Context& context) noexcept {
  Request request = request_of(client, client.connection.backend);
  request.hello = hello;
  l7::RequestHead& empty = context.worker.splice.request;
  if (hello == nullptr) {
    empty = {};
    request.head = &empty;
  }
  if (const auto answer = decide_once(request, client, context)) {
    return answer_in_turn(*answer, client, pos);
  }
  const Read reached = reach_backend(client, pos, context);
  if (reached == Read::kAnswered) {
    Answer answer = answer_with(Refusal::kNoRoom);
    if (hello != nullptr) answer.status = 0;
    return {.read = reached, .pass_to = pos, .answer = answer};
  }
  if (reached == Read::kPlaced) place_tunnel(client, context);
  return at(reached, pos);
}

// --- parsing -------------------------------------------------------------------------------------

struct Parsed {
  l7::HeadState state = l7::HeadState::kIncomplete;
  Answer answer;           // with kRefused
  bool tunnel = false;     // complete, but not HTTP/1
  std::size_t length = 0;  // with kComplete
};

Parsed parse_hello(std::span<const std::uint8_t> bytes, Context& context) {
  l7::ClientHello& hello = context.worker.splice.hello;
  switch (l7::parse_client_hello(bytes, hello)) {
    case l7::HelloState::kIncomplete:
      return {};
    case l7::HelloState::kComplete:
      return {.state = l7::HeadState::kComplete, .tunnel = true, .length = hello.length};
    case l7::HelloState::kNotTls:
    case l7::HelloState::kMalformed:
    case l7::HelloState::kTooLarge:
      break;
  }
  return {.state = l7::HeadState::kRefused, .answer = answer_with(Refusal::kNotTls)};
}

Parsed parse(std::span<const std::uint8_t> bytes, const Side& client, Context& context) {
  const SpliceService& splice = *service_of(client, context).splice;
  if (splice.layer7 == model::Layer7::kTls) return parse_hello(bytes, context);
  l7::RequestHead& head = context.worker.splice.request;
  const l7::HeadResult result = l7::parse_request_head(bytes, head);
  if (result.state == l7::HeadState::kRefused && result.fault == l7::HttpFault::kHttp2 &&
      splice.h2c_tunnel) {
    return {.state = l7::HeadState::kComplete, .tunnel = true, .length = bytes.size()};
  }
  if (result.state == l7::HeadState::kRefused) {
    return {.state = result.state, .answer = answer_to_fault(result.fault)};
  }
  return {.state = result.state, .length = head.length};
}

Reading settle(const Parsed& parsed, Sequence pos, const Side& client, Context& context) {
  if (!parsed.tunnel) return settle(context.worker.splice.request, pos, client, context);
  const bool tls = service_of(client, context).splice->layer7 == model::Layer7::kTls;
  return settle_tunnel(tls ? &context.worker.splice.hello : nullptr, pos, client, context);
}

// The bytes that are there may complete the head: a line ends, or it is no text.
bool may_complete(std::span<const std::uint8_t> bytes, const Side& client,
                  const Context& context) noexcept {
  return service_of(client, context).splice->layer7 == model::Layer7::kTls ||
         std::memchr(bytes.data(), '\n', bytes.size()) != nullptr;
}

// After a head in pieces has found its place, its buffer is ours to deliver.
Reading own(const Reading& reading, const Side& client, Context& context) noexcept {
  Half& up = client.connection.up;
  const Sequence end = up.own_at + up.buffered;
  if (reading.read == Read::kPlaced) {
    if (up.state == StreamState::kTunnel) up.next = end;
    up.owns = true;
    send_owned(client, context);
    return at(Read::kPlaced, end);
  }
  return reading.read == Read::kHold ? at(Read::kTaken, end) : reading;
}

Reading read_in_pieces(std::span<const std::uint8_t> bytes, const Side& client,
                       Context& context) noexcept {
  Half& up = client.connection.up;
  const auto taken = fill(bytes, client, context);
  if (!taken) {
    return answer_in_turn(answer_with(Refusal::kNoRoom), client, up.next);
  }
  const auto buffer = buffer_of(client, context.worker);
  const bool full = up.buffered == buffer.size();
  const Sequence received = up.own_at + up.buffered;
  if (!full && !may_complete(bytes.first(*taken), client, context)) {
    return at(Read::kTaken, received);
  }
  const Parsed parsed = parse(buffer.first(up.buffered), client, context);
  if (parsed.state == l7::HeadState::kIncomplete) return at(Read::kTaken, received);
  if (parsed.state == l7::HeadState::kRefused) {
    const Reading reading = answer_in_turn(parsed.answer, client, up.own_at);
    return reading.read == Read::kHold ? at(Read::kTaken, received) : reading;
  }
  // What follows the head is not ours.
  up.buffered = static_cast<std::uint16_t>(parsed.length);
  return own(settle(parsed, up.own_at, client, context), client, context);
}

}  // namespace

Reading read_request(std::span<const std::uint8_t> bytes, const Side& client,
                     Context& context) noexcept {
  Half& up = client.connection.up;
  // One request at a time: the response to the last must have begun, and what we own be delivered.
  const bool delivering = up.buffer != 0 && !is_unplaced(up);
  if (client.exchange.awaiting || delivering) return at(Read::kHold, up.next);
  if (service_of(client, context).splice == nullptr) return at(Read::kReset, up.next);
  if (up.buffer != 0) {
    // Complete, but its backend is not there yet.
    if (client.exchange.decided) return at(Read::kHold, up.next);
    return read_in_pieces(bytes, client, context);
  }
  const Parsed parsed = parse(bytes, client, context);
  switch (parsed.state) {
    case l7::HeadState::kIncomplete:
      return read_in_pieces(bytes, client, context);
    case l7::HeadState::kComplete: {
      const Sequence pos = up.next;
      const Reading reading = settle(parsed, pos, client, context);
      if (reading.read == Read::kPlaced && parsed.tunnel) {
        up.next = pos + static_cast<std::uint32_t>(bytes.size());
      }
      return reading;
    }
    case l7::HeadState::kRefused:
      break;
  }
  return answer_in_turn(parsed.answer, client, up.next);
}

void place_buffered(const Side& client, Context& context) noexcept {
  Half& up = client.connection.up;
  if (!is_unplaced(up) || client.exchange.awaiting) return;
  if (client.connection.phase != SplicePhase::kOpen) return;
  const bool quiet = is_quiet(client.connection, client.exchange, up.own_at);
  if (!quiet && !client.exchange.decided) return;
  const auto bytes = buffer_of(client, context.worker).first(up.buffered);
  const Parsed parsed = parse(bytes, client, context);
  if (parsed.state == l7::HeadState::kIncomplete) return;
  Reading reading = answer_in_turn(parsed.answer, client, up.own_at);
  if (parsed.state == l7::HeadState::kComplete) {
    up.buffered = static_cast<std::uint16_t>(parsed.length);
    reading = own(settle(parsed, up.own_at, client, context), client, context);
  }
  if (reading.read == Read::kAnswered) {
    begin_answer(client, reading.answer, up.own_at + up.buffered, context);
  }
}

}  // namespace hawser::pipeline
