// Stage: finds the flows that are known already, two passes over the burst.
#include "choose.h"
#include "flows.h"
#include "hawser/pipeline/pipeline.h"
#include "headers.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

// --- first pass: hash, and ask for the cache lines -----------------------------------------------

template <typename Traits, typename Tuple>
std::uint64_t hash_of(const Packet& packet, const Snapshot& snapshot) noexcept {
  const Tuple tuple{.source = peer_address<Traits>(packet),
                    .destination = destination_address<Traits>(packet),
                    .source_port = packet.source_port,
                    .destination_port = packet.destination_port,
                    .protocol = packet.protocol};
  return snapshot.flow_hash(tuple);
}

template <typename Traits, typename Table>
void prefetch_flow(const Packet& packet, const Table& flows) noexcept {
  if (!is_pure_syn(packet)) return flows.prefetch(packet.hash);
  flows.prefetch_both(
      key_of<Table>(peer_address<Traits>(packet), packet.source_port, packet.service), packet.hash);
}

void prefetch_one(Packet& packet, Context& context) noexcept {
  if (packet.direction == Direction::kToClient) {
    context.worker.nat.prefetch({packet.nat_address, packet.nat_port});
  } else if (packet.family == net::Family::kIpv4) {
    packet.hash = hash_of<Ipv4Traits, hash::Ipv4Tuple>(packet, context.snapshot);
    prefetch_flow<Ipv4Traits>(packet, context.worker.ipv4);
  } else {
    packet.hash = hash_of<Ipv6Traits, hash::Ipv6Tuple>(packet, context.snapshot);
    prefetch_flow<Ipv6Traits>(packet, context.worker.ipv6);
  }
}

// --- second pass: match --------------------------------------------------------------------------

// A flow whose backend is down, or lets it go: forgotten, and either reset at once or admitted
// anew.
template <typename Table, typename Flow>
Verdict leave_dead_backend(Packet& packet, Table& flows, Flow& flow, Context& context) noexcept {
  if (packet.part == Part::kQuoted) return kNoFlow;
  forget(flows, flow, context.worker);
  const ServiceEntry& service = context.snapshot.services[packet.service.value];
  const bool reset = service.on_down == model::DownPolicy::kReset &&
                     packet.protocol == net::kProtocolTcp && !is_pure_syn(packet);
  if (!reset) return kUndecided;
  return can_be_reset(packet) ? kReplyReset : kNoFlow;
}

// The ports of one QUIC connection went over to another: its connection ID knows better.
bool moved_by_connection_id(const Packet& packet, BackendId known,
                            const Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[packet.service.value];
  if (service.quic == nullptr) [[likely]]
    return false;
  const BackendId named = choose_by_connection_id(packet, service, context.snapshot);
  return named != BackendId() && named != known;
}

// The client repeats its SYN: has the backend been silent for long? Before a reply `seen` of the
// record is the time of the first SYN.
template <typename Flow>
void hear_syn_again(const Flow& flow, Context& context) noexcept {
  if (flow.meta.state() != l4::FlowState::kSynSent) return;
  if (flow.meta.nat() == table::FlowMeta::kNoNat) return;
  const auto local = table::NatIndex::unpack(flow.meta.nat());
  const std::uint16_t waited = context.now.since(context.worker.nat.record(local).seen);
  if (waited >= limits::kSilentSeconds) count_silence(flow, context.worker);
}

template <typename Traits, typename Table>
Verdict match_flow(Packet& packet, Table& flows, Context& context) noexcept {
  const auto key = key_of<Table>(peer_address<Traits>(packet), packet.source_port, packet.service);
  auto* flow = flows.find(key, packet.hash);
  if (flow == nullptr) return kUndecided;
  const bool syn = is_pure_syn(packet);
  const bool starts_anew = syn && l4::is_over(flow->meta.state());
  const bool expired = is_expired(*flow, context);
  if (expired && packet.part == Part::kQuoted) return kNoFlow;
  if (expired) {
    expire(flows, *flow, context);
    return kUndecided;
  }
  if (starts_anew) {
    forget(flows, *flow, context.worker);
    return kUndecided;
  }
  const BackendEntry& backend = context.snapshot.backends[flow->meta.backend().value];
  if (!backend.keeps_flow(packet.hash)) [[unlikely]] {
    return leave_dead_backend(packet, flows, *flow, context);
  }
  if (moved_by_connection_id(packet, flow->meta.backend(), context)) {
    forget(flows, *flow, context.worker);
    return kUndecided;
  }
  if (syn) hear_syn_again(*flow, context);
  follow(packet, *flow, context);
  return kUndecided;
}

// What the backend does with the connection, as far as it tells how it is.
void count_answer(const table::NatRecord& record, const table::NatIndex& local, l4::FlowState state,
                  l4::TcpEvent event, Context& context) noexcept {
  stats::BackendCounters& counters = context.worker.backends[record.backend().value];
  if (event == l4::TcpEvent::kRst) {
    if (state == l4::FlowState::kSynSent) counters.refused.add(1);
    if (state == l4::FlowState::kSynReceived) counters.reset.add(1);
    if (state == l4::FlowState::kEstablished) counters.aborted.add(1);
  }
  if (event == l4::TcpEvent::kSyn && state == l4::FlowState::kSynSent) {
    WorkerState& worker = context.worker;
    const auto took = worker.handshakes.stop(worker.nat.ordinal(local), context.now_us);
    if (took) worker.time(record.backend(), &stats::BackendTimes::handshake, *took);
  }
}

// A reply whose flags move the flow's state: found by the client's tuple, as the client's own.
template <typename Address, typename Tuple, typename Table>
void move_state(const Packet& packet, const table::NatRecord& record, Table& flows,
                Context& context) noexcept {
  auto* flow = flow_of<Address, Tuple>(record, flows, context);
  if (flow == nullptr) return;
  const l4::FlowState state = flow->meta.state();
  const l4::TcpEvent event = l4::event_of(packet.tcp_flags);
  count_answer(record, {packet.nat_address, packet.nat_port}, state, event, context);
  move_on(*flow, l4::next_state(state, l4::FlowDirection::kFromServer, event), context);
}

bool is_from_backend(const Packet& packet, const BackendEntry& backend) noexcept {
  if (packet.source_port != backend.port || packet.family != backend.address.family) return false;
  if (packet.family == net::Family::kIpv4) {
    return peer_address<Ipv4Traits>(packet) == backend.address.v4();
  }
  return peer_address<Ipv6Traits>(packet).bytes == backend.address.bytes;
}

Verdict match_reply(Packet& packet, Context& context) noexcept {
  table::NatRecord& record = context.worker.nat.record({packet.nat_address, packet.nat_port});
  if (record.is_free()) return kNoFlow;
  const ServiceEntry& service = context.snapshot.services[record.service.value];
  if (service.table == nullptr) return kNoFlow;  // the service is gone, its flows await the sweep
  const BackendEntry& backend = context.snapshot.backends[record.backend().value];
  if (packet.protocol != service.protocol || !is_from_backend(packet, backend)) return kNatForeign;
  if (packet.part != Part::kQuoted) record.seen = context.now;
  packet.service = record.service;
  packet.backend = record.backend();
  if (record.is_spliced()) {
    context.worker.splice.connections.prefetch(record.spliced());
    return kUndecided;
  }
  const bool decisive = packet.protocol == net::kProtocolTcp &&
                        (packet.tcp_flags & (net::kTcpSyn | net::kTcpFin | net::kTcpRst)) != 0;
  if (!decisive) return kUndecided;
  if (packet.family == net::Family::kIpv4) {
    move_state<net::Ipv4Address, hash::Ipv4Tuple>(packet, record, context.worker.ipv4, context);
  } else {
    move_state<net::Ipv6Address, hash::Ipv6Tuple>(packet, record, context.worker.ipv6, context);
  }
  return kUndecided;
}

// The splice stage finds the connection itself, since those before it in the burst may end it; by
// then its record is there.
template <typename Traits, typename Table>
void ask_for_connection(const Packet& packet, Table& flows, Context& context) noexcept {
  const auto key = key_of<Table>(peer_address<Traits>(packet), packet.source_port, packet.service);
  const auto* const flow = flows.find(key, packet.hash);
  if (flow != nullptr) context.worker.splice.connections.prefetch(flow->meta.nat());
}

Verdict match_one(Packet& packet, Context& context) noexcept {
  if (packet.direction == Direction::kToClient) return match_reply(packet, context);
  if (context.snapshot.services[packet.service.value].splice != nullptr) {
    if (packet.family == net::Family::kIpv4) {
      ask_for_connection<Ipv4Traits>(packet, context.worker.ipv4, context);
    } else {
      ask_for_connection<Ipv6Traits>(packet, context.worker.ipv6, context);
    }
    return kUndecided;
  }
  if (packet.family == net::Family::kIpv4) {
    return match_flow<Ipv4Traits>(packet, context.worker.ipv4, context);
  }
  return match_flow<Ipv6Traits>(packet, context.worker.ipv6, context);
}

}  // namespace

void look_up(Burst& burst, Context& context) noexcept {
  for (Packet& packet : burst.unknown()) {
    if (packet.undecided()) prefetch_one(packet, context);
  }
  for (Packet& packet : burst.unknown()) {
    if (packet.undecided()) packet.verdict = match_one(packet, context);
  }
}

}  // namespace hawser::pipeline
