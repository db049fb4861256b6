// Stage: chooses a backend for each new flow and records it.
#include "flows.h"
#include "hawser/net/ethernet.h"
#include "hawser/pipeline/pipeline.h"
#include "headers.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

// The hash that picks the slot: of the whole tuple, or of the client's prefix alone.
template <typename Traits, typename Tuple>
std::uint64_t slot_hash(const Packet& packet, const ServiceEntry& service,
                        const Snapshot& snapshot) noexcept {
  if (service.affinity == model::AffinityBy::kFlow) return packet.hash;
  const net::IpAddress prefix =
      net::masked(source_address<Traits>(packet), service.affinity_prefix);
  const Tuple tuple{.source = load<typename Traits::Address>(prefix.bytes.data()),
                    .destination = destination_address<Traits>(packet),
                    .source_port = {},
                    .destination_port = destination_port(packet),
                    .protocol = packet.protocol};
  return snapshot.flow_hash(tuple);
}

// The backend that owns the packet's slot; 0 when there is none.
BackendId choose(const Packet& packet, const ServiceEntry& service,
                 const Snapshot& snapshot) noexcept {
  const std::uint64_t hash =
      packet.family == net::Family::kIpv4
          ? slot_hash<Ipv4Traits, hash::Ipv4Tuple>(packet, service, snapshot)
          : slot_hash<Ipv6Traits, hash::Ipv6Tuple>(packet, service, snapshot);
  const std::uint16_t owner = service.table->owner(hash::reduce(hash, service.table->slots()));
  return owner == table::Maglev::kNobody ? BackendId() : service.members[owner];
}

l4::FlowState first_state(const Packet& packet) noexcept {
  if (packet.protocol == net::kProtocolUdp) return l4::FlowState::kUdp;
  return l4::next_state(l4::FlowState::kSynSent, l4::FlowDirection::kFromClient,
                        l4::event_of(packet.tcp_flags));
}

// A free entry, after forgetting what has expired in the way if need be.
template <typename Table>
auto* make_room(Table& flows, const typename Table::Key& key, std::uint64_t hash,
                table::FlowMeta meta, Context& context) noexcept {
  auto* flow = flows.insert(key, hash, meta);
  if (flow != nullptr) return flow;
  flows.visit_candidates(key, hash, [&](auto& candidate) {
    if (!is_expired(candidate, context)) return;
    forget(flows, candidate, context.worker);
    context.worker.expired.add(1);
  });
  return flows.insert(key, hash, meta);
}

// A local endpoint towards the backend; address 0 is tried first by hash, then the others.
std::optional<table::NatIndex> allocate_local(const Packet& packet, const BackendEntry& backend,
                                              Context& context) noexcept {
  const std::vector<std::uint8_t>& slots =
      context.snapshot.ports[backend.port_out.value].nat(packet.family);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::uint8_t slot = slots[(packet.hash + i) % slots.size()];
    if (const auto port = context.worker.nat.allocate(slot)) return table::NatIndex{slot, *port};
  }
  return std::nullopt;
}

template <typename Traits>
void record_nat(const Packet& packet, table::NatIndex index, Context& context) noexcept {
  const auto client = source_address<Traits>(packet);
  const PortEntry& port = context.snapshot.ports[packet.port_in.value];
  const bool by_gateway =
      port.gateway(packet.family).has_value() && !port.is_on_link(net::IpAddress(client));
  table::NatRecord& record = context.worker.nat.record(index);
  store(record.client.data(), client);
  record.client_port = source_port(packet);
  record.service = packet.service;
  record.set_route(packet.backend, packet.port_in, by_gateway);
  record.seen = context.now;
  record.client_mac = load<net::EthernetHeader>(packet.data).source;
}

// Only a SYN may open a nat flow; an unknown connection is reset so that its client learns at once.
Verdict refuse_midway(const Packet& packet) noexcept {
  const bool opens = packet.protocol == net::kProtocolUdp ||
                     (packet.tcp_flags & (net::kTcpSyn | net::kTcpAck)) == net::kTcpSyn;
  if (opens) return kUndecided;
  return (packet.tcp_flags & net::kTcpRst) != 0 ? kNoFlow : kReplyReset;
}

template <typename Traits, typename Table>
Verdict admit_nat(Packet& packet, Table& flows, const typename Table::Key& key,
                  Context& context) noexcept {
  const BackendEntry& backend = context.snapshot.backends[packet.backend.value];
  const auto local = allocate_local(packet, backend, context);
  if (!local) return kNatPortsExhausted;
  const table::FlowMeta meta(context.now, first_state(packet), packet.backend, local->packed());
  if (make_room(flows, key, packet.hash, meta, context) == nullptr) {
    context.worker.nat.release(*local);
    return kFlowTableFull;
  }
  packet.nat_address = local->address;
  packet.nat_port = local->port;
  record_nat<Traits>(packet, *local, context);
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

template <typename Traits, typename Table>
Verdict admit_new(Packet& packet, Table& flows, const typename Table::Key& key,
                  Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[packet.service.value];
  const bool nat = service.forward == model::Forward::kNat;
  // Before the choice: should a reset be lost, the next segment gets another, backend or not.
  if (const Verdict refused = nat ? refuse_midway(packet) : kUndecided; refused != kUndecided) {
    return refused;
  }
  packet.backend = choose(packet, service, context.snapshot);
  if (packet.backend == BackendId()) return kNoBackend;
  bool recorded = true;
  if (nat) {
    const Verdict refused = admit_nat<Traits>(packet, flows, key, context);
    if (refused != kUndecided) return refused;
  } else {
    recorded = admit_dsr(packet, flows, key, context);
  }
  stats::BackendCounters& counters = context.worker.backends[packet.backend.value];
  counters.new_flows.add(1);
  if (recorded) counters.flows.add(1);
  return kUndecided;
}

template <typename Traits, typename Table>
Verdict admit_one(Packet& packet, Table& flows, Context& context) noexcept {
  const auto key =
      key_of<Table>(source_address<Traits>(packet), source_port(packet), packet.service);
  // An earlier packet of this burst may have opened the flow meanwhile.
  auto* flow = flows.find(key, packet.hash);
  if (flow == nullptr) return admit_new<Traits>(packet, flows, key, context);
  follow(packet, *flow, context);
  return kUndecided;
}

}  // namespace

void admit(Burst& burst, Context& context) noexcept {
  for (Packet& packet : burst.span()) {
    if (!packet.undecided() || packet.backend != BackendId()) continue;
    packet.verdict = packet.family == net::Family::kIpv4
                         ? admit_one<Ipv4Traits>(packet, context.worker.ipv4, context)
                         : admit_one<Ipv6Traits>(packet, context.worker.ipv6, context);
  }
}

}  // namespace hawser::pipeline
