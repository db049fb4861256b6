// What is due on spliced connections without a packet: retries, deadlines, ends.
#include "answer.h"
#include "backend.h"
#include "finish.h"
#include "hawser/pipeline/pipeline.h"
#include "leave.h"
#include "mapping.h"
#include "own.h"
#include "read.h"
#include "send.h"

namespace hawser::pipeline {
namespace {

// What we own was not acknowledged in time.
void send_again(const Side& client, Context& context) noexcept {
  Connection& connection = client.connection;
  if (++connection.attempts > limits::kOwnedAttempts) {
    context.worker.splice.owned_lost.add(1);
    if (connection.phase == SplicePhase::kOpen) {
      send_bare(client.other(), net::kTcpRst | net::kTcpAck, context);
    }
    reset_client(client, context);
    return;
  }
  context.worker.splice.owned_resent.add(1);
  if (connection.up.owns) send_owned(client, context, true);
  if (connection.down.owns) send_owned(client.other(), context, true);
  schedule(client, context);
}

bool is_due(const Exchange& exchange, const Context& context) noexcept {
  return exchange.reading && static_cast<std::int32_t>(context.now_ms - exchange.head_due_ms) >= 0;
}

// A head that did not become complete. Its client hears why, unless a response is on its way.
void give_up_head(const Side& client, Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[client.connection.service.value];
  const Half& up = client.connection.up;
  const bool open = client.connection.phase == SplicePhase::kOpen;
  if (open && (client.exchange.awaiting || !may_answer(client.connection.down))) {
    client.exchange.head_due_ms = context.now_ms + limits::kSpliceSynMilliseconds;
    schedule(client, context);
    return;
  }
  if (service.splice == nullptr) {
    reset_client(client, context);
    return;
  }
  Answer answer = answer_with(Refusal::kHeadTimeout);
  if (service.splice->layer7 == model::Layer7::kTls) answer.status = 0;
  begin_answer(client, answer, told(up), context);
}

// An answered client that has all of it, or never will.
void end_answer(const Side& client, Context& context) noexcept {
  if (client.connection.down.owns) {
    send_again(client, context);
  } else {
    finish(client, context);
  }
}

void visit(SpliceTable::Number number, Context& context) noexcept {
  const Side client = side_of(context.worker, number, true);
  switch (client.connection.phase) {
    case SplicePhase::kFree:
      break;
    case SplicePhase::kReading:
      give_up_head(client, context);
      break;
    case SplicePhase::kConnecting:
      try_again(client, false, context);
      break;
    case SplicePhase::kOpen:
      if (client.connection.up.owns || client.connection.down.owns) {
        send_again(client, context);
      } else if (is_due(client.exchange, context)) {
        give_up_head(client, context);
      }
      break;
    case SplicePhase::kAnswering:
      end_answer(client, context);
      break;
    case SplicePhase::kOver:
      forget_connection(number, context);
      break;
  }
}

}  // namespace

void tick_splice(Context& context) noexcept {
  WorkerState& worker = context.worker;
  worker.splice.connections.expire(context.now_ms,
                                   [&](SpliceTable::Number number) { visit(number, context); });
  tick_left_behind(context);
  while (worker.splice.orphans != 0) {
    Packet packet = worker.splice.held.front(worker.splice.orphans);
    packet.verdict = Verdict::kSpliceOver;
    if (!worker.outbox.finish(packet)) return;
    static_cast<void>(worker.splice.held.take_first(worker.splice.orphans));
  }
}

}  // namespace hawser::pipeline
