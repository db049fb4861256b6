// Stage: chooses a backend for each new flow and records it.
#include "admission.h"
#include "choose.h"
#include "flows.h"
#include "hawser/net/ethernet.h"
#include "hawser/pipeline/pipeline.h"
#include "headers.h"
#include "local_port.h"
#include "opening.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

l4::FlowState first_state(const Packet& packet) noexcept {
  if (packet.protocol == net::kProtocolUdp) return l4::FlowState::kUdp;
  return l4::next_state(l4::FlowState::kSynSent, l4::FlowDirection::kFromClient,
                        l4::event_of(packet.tcp_flags));
}

template <typename Traits>
void record_nat(const Packet& packet, table::NatIndex index, Context& context) noexcept {
  const auto client = source_address<Traits>(packet);
  const PortEntry& port = context.snapshot.ports[packet.port_in.value];
  const bool by_gateway =
      port.gateway(packet.family).has_value() && !port.is_on_link(net::IpAddress(client));
  table::NatRecord& record = context.worker.nat.record(index);
  store(record.client.data(), client);
  record.client_port = packet.source_port;
  record.service = packet.service;
  record.set_route(packet.backend, packet.port_in, by_gateway);
  record.seen = context.now;
  record.client_mac = load<net::EthernetHeader>(packet.data).source;
}

// --- recording -----------------------------------------------------------------------------------

// Begins a flow: the first packet of TCP, and any of UDP, for which nobody can tell.
bool opens_flow(const Packet& packet) noexcept {
  return packet.protocol == net::kProtocolUdp || is_pure_syn(packet);
}

template <typename Traits, typename Table>
Verdict admit_nat(Packet& packet, Table& flows, const typename Table::Key& key,
                  Context& context) noexcept {
  const BackendEntry& backend = context.snapshot.backends[packet.backend.value];
  const auto local = allocate_local(backend.port_out, packet.family, packet.hash, context);
  if (!local) return kNatPortsExhausted;
  const table::FlowMeta meta(context.now, first_state(packet), packet.backend, local->packed());
  packet.nat_address = local->address;
  packet.nat_port = local->port;
  const ServiceEntry& service = context.snapshot.services[packet.service.value];
  if (introduces(service) && !begin_opening(packet, service, context)) {
    context.worker.nat.release(*local);
    return kOpeningTableFull;
  }
  if (make_room(flows, key, packet.hash, meta, context) == nullptr) {
    context.worker.openings.release(context.worker.nat.ordinal(*local));
    context.worker.nat.release(*local);
    return kFlowTableFull;
  }
  record_nat<Traits>(packet, *local, context);
  if (packet.protocol == net::kProtocolTcp) {
    context.worker.handshakes.start(context.worker.nat.ordinal(*local), context.now_us);
  }
  return kUndecided;
}

// A DSR flow needs no record: without room it is forwarded by the table alone.
template <typename Table>
bool admit_dsr(const Packet& packet, Table& flows, const typename Table::Key& key,
               Context& context) noexcept {
  const table::FlowMeta meta(context.now, first_state(packet), packet.backend,
                             table::FlowMeta::kNoNat);
  if (make_room(flows, key, packet.hash, meta, context) != nullptr) return true;
  context.worker.stateless.add(1);
  return false;
}

// Counts a flow that was admitted, with or without record.
void count_new(const Packet& packet, bool recorded, WorkerState& worker) noexcept {
  stats::BackendCounters& counters = worker.backends[packet.backend.value];
  counters.new_flows.add(1);
  if (!recorded) return;
  counters.flows.add(1);
  worker.service_flows[packet.service.value].add(1);
  // Even the first packet may be the last: a segment met midway that resets or finishes.
  const bool has_port = packet.nat_port != 0;
  const table::FlowMeta meta({}, first_state(packet), packet.backend,
                             has_port ? 1U : table::FlowMeta::kNoNat);
  if (is_ended(meta)) count_ended(packet.backend, packet.service, worker);
}

// A packet that belongs to some flow, but not one that is known here, and does not open one.
// Behind nat there is nothing to go by: a reset tells the client at once. Its loss is no harm: the
// next segment gets another, backend or not.
template <typename Traits, typename Table>
Verdict admit_midway(Packet& packet, Table& flows, const typename Table::Key& key,
                     Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[packet.service.value];
  if (service.forward == model::Forward::kNat) {
    return can_be_reset(packet) ? kReplyReset : kNoFlow;
  }
  packet.backend = choose_by_table(packet, service, context);
  if (packet.backend == BackendId()) return kNoBackend;
  if (packet.part == Part::kQuoted) return kUndecided;  // about a flow, not of it
  count_new(packet, admit_dsr(packet, flows, key, context), context.worker);
  return kUndecided;
}

// Whether this flow may be recorded; the verdict says when it is not even forwarded.
Verdict check_limits(const Packet& packet, const ServiceEntry& service, bool& stateless,
                     Context& context) noexcept {
  if (!is_within_source_rate(packet, service, context)) return kSourceRateExceeded;
  if (is_full(packet.service, service, context.worker)) return kServiceFull;
  stateless = !is_within_new_flow_rate(packet.service, service, context);
  const bool needs_record = service.forward == model::Forward::kNat;
  return stateless && needs_record ? kNewFlowRateExceeded : kUndecided;
}

template <typename Traits, typename Table>
Verdict admit_new(Packet& packet, Table& flows, const typename Table::Key& key,
                  Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[packet.service.value];
  if (service.quic != nullptr) {
    packet.backend = choose_by_connection_id(packet, service, context.snapshot);
  }
  const bool named = packet.backend != BackendId();  // its connection exists already
  bool stateless = false;
  const Verdict refused = named ? kUndecided : check_limits(packet, service, stateless, context);
  if (refused != kUndecided) return refused;
  if (!named) {
    packet.backend = stateless ? choose_by_table(packet, service, context)
                               : choose_for_new(packet, service, context);
  }
  if (packet.backend == BackendId()) return kNoBackend;
  if (stateless) {
    context.worker.stateless.add(1);
    count_new(packet, false, context.worker);
    return kUndecided;
  }
  bool recorded = true;
  if (service.forward == model::Forward::kNat) {
    const Verdict failed = admit_nat<Traits>(packet, flows, key, context);
    if (failed != kUndecided) return failed;
  } else {
    recorded = admit_dsr(packet, flows, key, context);
    // Later packets of it can only be found by the table, so this one goes there too.
    if (!recorded) packet.backend = choose_by_table(packet, service, context);
  }
  count_new(packet, recorded, context.worker);
  return kUndecided;
}

template <typename Traits, typename Table>
Verdict admit_one(Packet& packet, Table& flows, Context& context) noexcept {
  const auto key = key_of<Table>(peer_address<Traits>(packet), packet.source_port, packet.service);
  // An earlier packet of this burst may have opened the flow meanwhile.
  auto* flow = flows.find(key, packet.hash);
  if (flow == nullptr) {
    const bool opens = packet.part != Part::kQuoted && opens_flow(packet);
    return opens ? admit_new<Traits>(packet, flows, key, context)
                 : admit_midway<Traits>(packet, flows, key, context);
  }
  follow(packet, *flow, context);
  return kUndecided;
}

}  // namespace

void admit(Burst& burst, Context& context) noexcept {
  for (Packet& packet : burst.unknown()) {
    if (!packet.undecided() || packet.backend != BackendId()) continue;
    packet.verdict = packet.family == net::Family::kIpv4
                         ? admit_one<Ipv4Traits>(packet, context.worker.ipv4, context)
                         : admit_one<Ipv6Traits>(packet, context.worker.ipv6, context);
  }
}

}  // namespace hawser::pipeline
