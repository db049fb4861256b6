// What lookup, admit and sweep share: ageing and forgetting flows, with every count kept exact.
#pragma once

#include <algorithm>

#include "hawser/base/bytes.h"
#include "hawser/pipeline/packet.h"
#include "hawser/pipeline/worker_state.h"
#include "splice/finish.h"

namespace hawser::pipeline {

// The key under which a packet's flow is kept.
template <typename Table, typename Address>
[[nodiscard]] inline typename Table::Key key_of(const Address& client, net::Big16 port,
                                                ServiceId service) noexcept {
  return {.client = client, .client_port = port, .service = service};
}

// Idle for longer than its service allows in its state, or of a service that is gone.
template <typename Flow>
[[nodiscard]] inline bool is_expired(const Flow& flow, const Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[flow.service.value];
  const std::uint16_t allowed = service.timeout[static_cast<std::size_t>(flow.meta.state())];
  std::uint16_t idle = context.now.since(flow.meta.seen());
  if (idle <= allowed && allowed != 0) return false;
  if (flow.meta.state() == l4::FlowState::kSpliced && allowed != 0) {
    return context.now.since(context.worker.splice.connections.at(flow.meta.nat()).seen) > allowed;
  }
  if (flow.meta.nat() != table::FlowMeta::kNoNat && allowed != 0) {
    // Replies with plain data touch only the record.
    const auto index = table::NatIndex::unpack(flow.meta.nat());
    idle = std::min(idle, context.now.since(context.worker.nat.record(index).seen));
    return idle > allowed;
  }
  return true;
}

// Kept only for what may still be on its way. Of a flow whose replies pass by, the client's FIN is
// all that will be seen.
[[nodiscard]] inline bool is_ended(const table::FlowMeta& meta) noexcept {
  const l4::FlowState state = meta.state();
  const bool client_is_all = meta.nat() == table::FlowMeta::kNoNat;
  return state == l4::FlowState::kTimeWait || state == l4::FlowState::kReset ||
         (state == l4::FlowState::kClientFin && client_is_all);
}

inline void count_ended(BackendId backend, ServiceId service, WorkerState& worker) noexcept {
  worker.backends[backend.value].ended.add(1);
  worker.service_ended[service.value].add(1);
}

// Moves a flow on. No flow that has ended begins again.
template <typename Flow>
inline void move_on(Flow& flow, l4::FlowState state, const Context& context) noexcept {
  const bool before = is_ended(flow.meta);
  flow.meta.touch(context.now, state);
  if (before == is_ended(flow.meta)) [[likely]]
    return;
  count_ended(flow.meta.backend(), flow.service, context.worker);
}

// A packet from the client of a known flow: moves the flow on and tells the packet where it goes.
template <typename Flow>
inline void follow(Packet& packet, Flow& flow, const Context& context) noexcept {
  if (packet.part == Part::kWhole || packet.part == Part::kFirstFragment) [[likely]] {
    const l4::FlowState state = l4::next_state(flow.meta.state(), l4::FlowDirection::kFromClient,
                                               l4::event_of(packet.tcp_flags));
    move_on(flow, state, context);
  }
  packet.backend = flow.meta.backend();
  const auto index = table::NatIndex::unpack(flow.meta.nat());
  packet.nat_address = index.address;
  packet.nat_port = index.port;
}

// The flow entry behind a local endpoint in use; null when its service is gone.
template <typename Address, typename Tuple, typename Table>
[[nodiscard]] inline auto* flow_of(const table::NatRecord& record, Table& flows,
                                   const Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[record.service.value];
  const auto client = load<Address>(record.client.data());
  const Tuple tuple{.source = client,
                    .destination = load<Address>(service.address.bytes.data()),
                    .source_port = record.client_port,
                    .destination_port = service.port,
                    .protocol = service.protocol};
  return flows.find(key_of<Table>(client, record.client_port, record.service),
                    context.snapshot.flow_hash(tuple));
}

// Forgets a flow, its local port and its place in the backend's count.
template <typename Table, typename Flow>
inline void forget(Table& flows, Flow& flow, WorkerState& worker) noexcept {
  const std::uint32_t nat = flow.meta.nat();
  if (flow.meta.state() == l4::FlowState::kSpliced) {
    const bool ended = worker.splice.connections.at(nat).ended;
    if (ended) worker.service_ended[flow.service.value].subtract(1);
    worker.service_flows[flow.service.value].subtract(1);
    release_connection(nat, worker);
    flows.release(flow);
    return;
  }
  if (nat != table::FlowMeta::kNoNat) {
    const auto local = table::NatIndex::unpack(nat);
    worker.openings.release(worker.nat.ordinal(local));
    worker.nat.release(local);
  }
  worker.backends[flow.meta.backend().value].flows.subtract(1);
  worker.service_flows[flow.service.value].subtract(1);
  if (is_ended(flow.meta)) {
    worker.backends[flow.meta.backend().value].ended.subtract(1);
    worker.service_ended[flow.service.value].subtract(1);
  }
  flows.release(flow);
}

// The client's SYN to a backend behind nat has had no answer. At most once for each connection.
template <typename Flow>
inline void count_silence(const Flow& flow, WorkerState& worker) noexcept {
  if (flow.meta.state() != l4::FlowState::kSynSent) return;
  if (flow.meta.nat() == table::FlowMeta::kNoNat) return;
  table::NatRecord& record = worker.nat.record(table::NatIndex::unpack(flow.meta.nat()));
  if (record.is_silent()) return;
  record.set_silent();
  worker.backends[flow.meta.backend().value].timed_out.add(1);
}

// Forgets a flow that is_expired().
template <typename Table, typename Flow>
inline void expire(Table& flows, Flow& flow, Context& context) noexcept {
  // What a reload took away has not failed.
  if (context.snapshot.services[flow.service.value].table != nullptr) {
    count_silence(flow, context.worker);
  }
  forget(flows, flow, context.worker);
  context.worker.expired.add(1);
}

// A free entry, after forgetting what has expired in the way if need be.
template <typename Table>
[[nodiscard]] inline auto* make_room(Table& flows, const typename Table::Key& key,
                                     std::uint64_t hash, table::FlowMeta meta,
                                     Context& context) noexcept {
  auto* flow = flows.insert(key, hash, meta);
  if (flow != nullptr) return flow;
  flows.visit_candidates(key, hash, [&](auto& candidate) {
    if (is_expired(candidate, context)) expire(flows, candidate, context);
  });
  return flows.insert(key, hash, meta);
}

}  // namespace hawser::pipeline
