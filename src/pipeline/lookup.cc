// Stage: finds the flows that are known already, two passes over the burst.
#include "flows.h"
#include "hawser/pipeline/pipeline.h"
#include "headers.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

bool is_pure_syn(const Packet& packet) noexcept {
  return packet.protocol == net::kProtocolTcp &&
         (packet.tcp_flags & (net::kTcpSyn | net::kTcpAck)) == net::kTcpSyn;
}

// --- first pass: hash, and ask for the cache lines -----------------------------------------------

template <typename Traits, typename Tuple>
std::uint64_t hash_of(const Packet& packet, const Snapshot& snapshot) noexcept {
  const Tuple tuple{.source = source_address<Traits>(packet),
                    .destination = destination_address<Traits>(packet),
                    .source_port = source_port(packet),
                    .destination_port = destination_port(packet),
                    .protocol = packet.protocol};
  return snapshot.flow_hash(tuple);
}

void prefetch_one(Packet& packet, Context& context) noexcept {
  if (packet.direction == Direction::kToClient) {
    context.worker.nat.prefetch({packet.nat_address, packet.nat_port});
  } else if (packet.family == net::Family::kIpv4) {
    packet.hash = hash_of<Ipv4Traits, hash::Ipv4Tuple>(packet, context.snapshot);
    context.worker.ipv4.prefetch(packet.hash);
  } else {
    packet.hash = hash_of<Ipv6Traits, hash::Ipv6Tuple>(packet, context.snapshot);
    context.worker.ipv6.prefetch(packet.hash);
  }
}

// --- second pass: match --------------------------------------------------------------------------

// A flow whose backend is down: forgotten, and either reset at once or admitted anew.
template <typename Table, typename Flow>
Verdict leave_dead_backend(Packet& packet, Table& flows, Flow& flow, Context& context) noexcept {
  forget(flows, flow, context.worker);
  const ServiceEntry& service = context.snapshot.services[packet.service.value];
  const bool reset = service.on_down == model::DownPolicy::kReset &&
                     packet.protocol == net::kProtocolTcp && !is_pure_syn(packet);
  if (!reset) return kUndecided;
  return (packet.tcp_flags & net::kTcpRst) != 0 ? kNoFlow : kReplyReset;
}

template <typename Traits, typename Table>
Verdict match_flow(Packet& packet, Table& flows, Context& context) noexcept {
  const auto key =
      key_of<Table>(source_address<Traits>(packet), source_port(packet), packet.service);
  auto* flow = flows.find(key, packet.hash);
  if (flow == nullptr) return kUndecided;
  const bool starts_anew = is_pure_syn(packet) && l4::is_over(flow->meta.state());
  const bool expired = is_expired(*flow, context);
  if (starts_anew || expired) {
    forget(flows, *flow, context.worker);
    if (expired) context.worker.expired.add(1);
    return kUndecided;
  }
  const BackendEntry& backend = context.snapshot.backends[flow->meta.backend().value];
  if (backend.admission == model::Admission::kDown) {
    return leave_dead_backend(packet, flows, *flow, context);
  }
  follow(packet, *flow, context);
  return kUndecided;
}

// A reply whose flags move the flow's state: found by the client's tuple, as the client's own.
template <typename Address, typename Tuple, typename Table>
void move_state(const Packet& packet, const table::NatRecord& record, Table& flows,
                Context& context) noexcept {
  const ServiceEntry& service = context.snapshot.services[record.service.value];
  const auto client = load<Address>(record.client.data());
  const auto vip = load<Address>(service.address.bytes.data());
  const Tuple tuple{.source = client,
                    .destination = vip,
                    .source_port = record.client_port,
                    .destination_port = service.port,
                    .protocol = service.protocol};
  auto* flow = flows.find(key_of<Table>(client, record.client_port, record.service),
                          context.snapshot.flow_hash(tuple));
  if (flow == nullptr) return;
  const l4::FlowState state = l4::next_state(flow->meta.state(), l4::FlowDirection::kFromServer,
                                             l4::event_of(packet.tcp_flags));
  flow->meta.touch(context.now, state);
}

bool is_from_backend(const Packet& packet, const BackendEntry& backend) noexcept {
  if (source_port(packet) != backend.port || packet.family != backend.address.family) return false;
  if (packet.family == net::Family::kIpv4) {
    return source_address<Ipv4Traits>(packet) == backend.address.v4();
  }
  return source_address<Ipv6Traits>(packet).bytes == backend.address.bytes;
}

Verdict match_reply(Packet& packet, Context& context) noexcept {
  table::NatRecord& record = context.worker.nat.record({packet.nat_address, packet.nat_port});
  if (record.is_free()) return kNoFlow;
  const ServiceEntry& service = context.snapshot.services[record.service.value];
  if (service.table == nullptr) return kNoFlow;  // the service is gone, its flows await the sweep
  const BackendEntry& backend = context.snapshot.backends[record.backend().value];
  if (packet.protocol != service.protocol || !is_from_backend(packet, backend)) return kNatForeign;
  record.seen = context.now;
  packet.service = record.service;
  packet.backend = record.backend();
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

Verdict match_one(Packet& packet, Context& context) noexcept {
  if (packet.direction == Direction::kToClient) return match_reply(packet, context);
  if (packet.family == net::Family::kIpv4) {
    return match_flow<Ipv4Traits>(packet, context.worker.ipv4, context);
  }
  return match_flow<Ipv6Traits>(packet, context.worker.ipv6, context);
}

}  // namespace

void look_up(Burst& burst, Context& context) noexcept {
  for (Packet& packet : burst.span()) {
    if (packet.undecided()) prefetch_one(packet, context);
  }
  for (Packet& packet : burst.span()) {
    if (packet.undecided()) packet.verdict = match_one(packet, context);
  }
}

}  // namespace hawser::pipeline
