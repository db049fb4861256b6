// Ends spliced connections, with every count kept exact.
#include "finish.h"

#include "../flows.h"
#include "backend.h"
#include "own.h"
#include "send.h"

namespace hawser::pipeline {

void finish(const Side& side, Context& context, bool reset) noexcept {
  Connection& connection = side.connection;
  if (connection.phase == SplicePhase::kOver) return;
  drop_owned(side, context.worker);
  drop_owned(side.other(), context.worker);
  drop_held(side, context.worker);
  connection.phase = SplicePhase::kOver;
  // Whoever has not heard of a reset is told again, even if it has finished itself.
  if (reset) connection.up.fin = connection.down.fin = false;
  if (connection.counted && !connection.ended) {
    connection.ended = true;
    count_ended(connection.backend, connection.service, context.worker);
  }
  const std::uint32_t linger = reset ? limits::kSpliceResetLinger : limits::kSpliceLinger;
  context.worker.splice.connections.arm(side.number, context.now_ms + linger);
}

void reset_client(const Side& client, Context& context) noexcept {
  send_bare(client, net::kTcpRst | net::kTcpAck, context);
  finish(client, context, true);
}

void release_connection(SpliceTable::Number number, WorkerState& worker) noexcept {
  const Side side = side_of(worker, number, true);
  drop_owned(side, worker);
  drop_owned(side.other(), worker);
  drop_held(side, worker);
  worker.splice.texts.release(side.exchange.cookie);
  Connection& connection = side.connection;
  uncount(connection, worker);
  if (connection.local.port != 0) worker.nat.release(connection.local);
  worker.splice.connections.release(number);
}

void forget_connection(SpliceTable::Number number, Context& context) noexcept {
  WorkerState& worker = context.worker;
  const Connection& connection = worker.splice.connections.at(number);
  const table::NatRecord like{.client = connection.client,
                              .client_port = connection.client_port,
                              .service = connection.service};
  if (connection.ipv4) {
    auto* flow = flow_of<net::Ipv4Address, hash::Ipv4Tuple>(like, worker.ipv4, context);
    if (flow != nullptr) forget(worker.ipv4, *flow, worker);
  } else {
    auto* flow = flow_of<net::Ipv6Address, hash::Ipv6Tuple>(like, worker.ipv6, context);
    if (flow != nullptr) forget(worker.ipv6, *flow, worker);
  }
}

}  // namespace hawser::pipeline
