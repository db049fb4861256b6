// Opens and retries connections to backends.
#include "backend.h"

#include <algorithm>
#include <cstring>

#include "../link.h"
#include "../local_port.h"
#include "answer.h"
#include "cookie_line.h"
#include "finish.h"
#include "forward.h"
#include "hawser/l4/proxy_header.h"
#include "own.h"
#include "read.h"
#include "send.h"
#include "timestamps.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

// The SYN offers what the client offered.
void send_syn(const Side& client, Context& context) noexcept {
  const Connection& connection = client.connection;
  const Side server = client.other();
  const BackendEntry& backend = context.snapshot.backends[connection.backend.value];
  OwnSegment syn;
  syn.sequence = connection.base - connection.up.prelude - 1;
  syn.flags = net::kTcpSyn;
  const std::uint32_t window = connection.down.edge - connection.down.acked;
  syn.window = static_cast<std::uint16_t>(std::clamp<std::uint32_t>(window, 1, UINT16_MAX));
  const PortId client_port(connection.client_port_id);
  syn.mss = std::min({connection.down.mss, segment_room(backend.port_out, connection.ipv4, context),
                      segment_room(client_port, connection.ipv4, context)});
  syn.sack = connection.sack;
  // Each of its segments gets the option from us, and must have room for it.
  const bool plain = context.worker.splice.without_timestamps[connection.backend.value];
  if (connection.timestamps && plain) syn.mss -= kTimestampsBytes;
  if (connection.down.scaled) syn.window_scale = connection.down.shift_count;
  if (connection.timestamps) syn.timestamps = {client.exchange.client_timestamp, 0};
  const auto made = make(server, syn, 0, kSpliceOwn, context);
  if (made) send(*made, server, context);
}

void count(const Side& client, Context& context) noexcept {
  Connection& connection = client.connection;
  stats::BackendCounters& counters = context.worker.backends[connection.backend.value];
  counters.flows.add(1);
  counters.new_flows.add(1);
  connection.counted = true;
  client.exchange.syn_us_or_first = context.now_us;
}

bool take_local(const Side& client, BackendId id, Context& context) noexcept {
  Connection& connection = client.connection;
  const BackendEntry& backend = context.snapshot.backends[id.value];
  const auto family = connection.ipv4 ? net::Family::kIpv4 : net::Family::kIpv6;
  const auto local = allocate_local(backend.port_out, family, client.number, context);
  if (!local) return false;
  table::NatRecord& record = context.worker.nat.record(*local);
  record.service = connection.service;
  record.set_spliced(id, client.number);
  record.seen = context.now;
  connection.local = *local;
  connection.backend = id;
  return true;
}

std::uint8_t prelude_bytes(const Connection& connection, const Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[connection.service.value];
  if (service.client_address != model::ClientAddress::kProxyV2) return 0;
  return static_cast<std::uint8_t>(
      l4::proxy_header_length(connection.ipv4 ? net::Family::kIpv4 : net::Family::kIpv6));
}

// The half from the client begins anew: towards this backend its numbers are the client's own.
void begin_up(const Side& client, Sequence base, const Context& context) noexcept {
  Half& up = client.connection.up;
  client.connection.base = base;
  up.prelude = prelude_bytes(client.connection, context);
  up.shift = 0;
  up.own_sent = 0;
  up.end = base;
  up.acked = base - up.prelude;
  if (up.buffer == 0) up.own_at = base;
}

// The backend's own numbers go on where the client's view of them has come to.
void begin_down(const Side& client, const Segment& answer, Context& context) noexcept {
  Connection& connection = client.connection;
  Half& down = connection.down;
  const Sequence first = answer.sequence + 1;
  const std::uint32_t window = down.edge - down.acked;
  const std::uint32_t room = down.limit - down.acked;
  down.shift = down.end - first;
  down.next = down.end = down.acked = first;
  down.edge = first + std::min<std::uint32_t>(window, UINT16_MAX);
  down.limit = first + room;
  down.state = StreamState::kHead;
  down.fin = false;
  down.left = 0;
  down.chunked = {};
  Half& up = connection.up;
  up.limit = connection.base - up.prelude + answer.window;
  constexpr std::uint16_t kDefaultMss = 536;  // RFC 9293 section 3.7.1
  up.mss = std::min(answer.options.mss.value_or(kDefaultMss),
                    segment_room(context.snapshot.backends[connection.backend.value].port_out,
                                 connection.ipv4, context));
  up.scaled = down.scaled && answer.options.window_scale.has_value();
  up.shift_count = answer.options.window_scale.value_or(0);
  connection.server_sack = connection.sack && answer.options.sack_permitted;
  connection.server_timestamps = connection.timestamps && answer.options.timestamps.has_value();
  if (connection.timestamps) {
    context.worker.splice.without_timestamps[connection.backend.value] =
        !connection.server_timestamps;
  }
  const std::uint32_t clock =
      connection.server_timestamps ? answer.options.timestamps->value : context.now_ms;
  connection.timestamp_shift = client.exchange.sent_timestamp - clock;
}

// The backend remembers a connection of before, which ends at this reset; the next SYN is taken
// (RFC 9293 section 3.10.7.3), and the first one goes at once. In TIME-WAIT that is all that keeps
// it.
Verdict end_memory(const Side& client, Context& context) noexcept {
  static_assert(limits::kSpliceSynsPerBackend > 1);
  const bool first = client.connection.attempts % limits::kSpliceSynsPerBackend == 1;
  if (first) try_again(client, false, context);
  return kReplyReset;
}

Verdict join(const Segment& segment, const Side& server, Context& context) {
  const Side client = server.other();
  Connection& connection = client.connection;
  context.worker.time(connection.backend, &stats::BackendTimes::handshake,
                      context.now_us - client.exchange.syn_us_or_first);
  begin_down(client, segment, context);
  client.exchange.syn_us_or_first = connection.down.end.value;
  connection.phase = SplicePhase::kOpen;
  connection.attempts = 0;
  connection.seen = context.now;
  const ServiceEntry& service = context.snapshot.services[connection.service.value];
  if (client.exchange.since_us != 0) {
    service.splice->counters_of(context.worker.id)
        .chosen.add(context.now_us - client.exchange.since_us);
    client.exchange.since_us = context.now_us;
  }
  // The backend learns at once that it was heard; data may be long in coming.
  if (!owns_any(connection.up)) send_bare(server, net::kTcpAck, context);
  place_buffered(client, context);
  if (connection.up.prelude != 0 && !connection.up.owns) send_owned(client, context);
  schedule(client, context);
  release_held(client, context.worker);
  return kSpliceTaken;
}

}  // namespace

void uncount(Connection& connection, WorkerState& worker) noexcept {
  if (!connection.counted) return;
  worker.backends[connection.backend.value].flows.subtract(1);
  if (connection.ended) worker.backends[connection.backend.value].ended.subtract(1);
  connection.counted = false;
}

void give_local_back(const Side& client, WorkerState& worker) noexcept {
  Connection& connection = client.connection;
  if (connection.local.port != 0) worker.nat.release(connection.local);
  connection.local = {};
  uncount(connection, worker);
  connection.backend = {};
}

bool connect(const Side& client, BackendId backend, Sequence base, Context& context) noexcept {
  Connection& connection = client.connection;
  if (!take_local(client, backend, context)) return false;
  count(client, context);
  connection.phase = SplicePhase::kConnecting;
  connection.attempts = 1;
  begin_up(client, base, context);
  send_syn(client, context);
  schedule(client, context);
  return true;
}

void try_again(const Side& client, bool refused, Context& context) noexcept {
  Connection& connection = client.connection;
  const ServiceEntry& service = context.snapshot.services[connection.service.value];
  if (service.splice == nullptr) {
    reset_client(client, context);
    return;
  }
  SpliceCounters& counters = service.splice->counters_of(context.worker.id);
  const std::uint8_t attempt = connection.attempts++;
  const bool same = !refused && attempt % limits::kSpliceSynsPerBackend != 0;
  stats::BackendCounters& silent = context.worker.backends[connection.backend.value];
  if (refused) silent.refused.add(1);
  if (!refused && !same) silent.timed_out.add(1);
  if (attempt >= limits::kSpliceSyns) {
    give_local_back(client, context.worker);
    begin_answer(client, answer_with(Refusal::kConnectFailed), connection.base, context);
    return;
  }
  if (!same) {
    const BackendId before = connection.backend;
    const Request like{.client = client_of(connection), .client_port = connection.client_port};
    const BackendId next =
        next_choice(like, attempt, before, client.exchange.generation, service, context);
    give_local_back(client, context.worker);
    if (next == BackendId() || !take_local(client, next, context)) {
      const Refusal why = next == BackendId() ? Refusal::kConnectFailed : Refusal::kNoRoom;
      begin_answer(client, answer_with(why), connection.base, context);
      return;
    }
    count(client, context);
    counters.retries.add(1);
    client.exchange.wanted = next;
    rename_home(client, next, context);
  }
  send_syn(client, context);
  schedule(client, context);
}

Verdict hear_connecting(const Segment& segment, const Side& server, Context& context) noexcept {
  const Side client = server.other();
  const bool acknowledges = segment.has(net::kTcpAck);
  const Sequence expected = client.connection.base - client.connection.up.prelude;
  if (segment.has(net::kTcpRst)) {
    if (!acknowledges || segment.acknowledgement != expected) return kSpliceReset;
    try_again(client, true, context);
    return kSpliceTaken;
  }
  if (!acknowledges) return kSpliceOver;
  if (segment.acknowledgement != expected) return end_memory(client, context);
  return segment.has(net::kTcpSyn) ? join(segment, server, context) : kSpliceOver;
}

}  // namespace hawser::pipeline
