// Stage: makes the packet what leaves: addresses, ports, MACs, checksums, or a reset.
#include "hawser/net/ethernet.h"
#include "hawser/pipeline/pipeline.h"
#include "nat_rewrite.h"
#include "reset.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

void write_macs(Packet& packet, const net::MacAddress& destination,
                const Snapshot& snapshot) noexcept {
  auto ethernet = load<net::EthernetHeader>(packet.data);
  ethernet.destination = destination;
  ethernet.source = snapshot.ports[packet.port_out.value].mac;
  store(packet.data, ethernet);
}

// --- client to backend ---------------------------------------------------------------------------

template <typename Traits>
bool translate_to_backend(Packet& packet, const BackendEntry& backend,
                          const Snapshot& snapshot) noexcept {
  using Address = typename Traits::Address;
  const net::IpAddress& local = snapshot.nat_addresses[packet.nat_address];
  return translate<Traits>(packet, {.source = load<Address>(local.bytes.data()),
                                    .source_port = net::Big16(packet.nat_port),
                                    .destination = load<Address>(backend.address.bytes.data()),
                                    .destination_port = backend.port});
}

Verdict to_backend(Packet& packet, Context& context) noexcept {
  const Snapshot& snapshot = context.snapshot;
  const BackendEntry& backend = snapshot.backends[packet.backend.value];
  const std::optional<net::MacAddress> mac = context.neighbours.get(backend.next_hop);
  if (!mac) return kNextHopUnresolved;
  const model::Forward forward = snapshot.services[packet.service.value].forward;
  if (forward == model::Forward::kNat) {
    const bool translated = packet.family == net::Family::kIpv4
                                ? translate_to_backend<Ipv4Traits>(packet, backend, snapshot)
                                : translate_to_backend<Ipv6Traits>(packet, backend, snapshot);
    if (!translated) return kTtlExpired;
  }
  packet.port_out = backend.port_out;
  write_macs(packet, *mac, snapshot);
  stats::BackendCounters& counters = context.worker.backends[packet.backend.value];
  counters.packets_in.add(1);
  counters.bytes_in.add(packet.length);
  return forward == model::Forward::kNat ? kForwardNat : kForwardDsrL2;
}

// --- backend to client ---------------------------------------------------------------------------

template <typename Traits>
bool translate_to_client(Packet& packet, const table::NatRecord& record,
                         const ServiceEntry& service) noexcept {
  using Address = typename Traits::Address;
  return translate<Traits>(packet, {.source = load<Address>(service.address.bytes.data()),
                                    .source_port = service.port,
                                    .destination = load<Address>(record.client.data()),
                                    .destination_port = record.client_port});
}

// A client on our link is where its own packets come from. Any other is behind the gateway; as long
// as that is not resolved, behind the router that its packets came through.
net::MacAddress mac_towards_client(const table::NatRecord& record, net::Family family,
                                   const Context& context) noexcept {
  if (!record.by_gateway()) return record.client_mac;
  const PortEntry& port = context.snapshot.ports[record.client_port_id().value];
  const std::optional<NeighbourId>& gateway = port.gateway(family);
  if (!gateway) return record.client_mac;
  return context.neighbours.get(*gateway).value_or(record.client_mac);
}

Verdict to_client(Packet& packet, Context& context) noexcept {
  const table::NatRecord& record = context.worker.nat.record({packet.nat_address, packet.nat_port});
  // A SYN later in this burst may have ended the flow meanwhile; its port rests (limits.h).
  if (record.service != packet.service) return kNoFlow;
  const ServiceEntry& service = context.snapshot.services[record.service.value];
  const bool translated = packet.family == net::Family::kIpv4
                              ? translate_to_client<Ipv4Traits>(packet, record, service)
                              : translate_to_client<Ipv6Traits>(packet, record, service);
  if (!translated) return kTtlExpired;
  packet.port_out = record.client_port_id();
  write_macs(packet, mac_towards_client(record, packet.family, context), context.snapshot);
  stats::BackendCounters& counters = context.worker.backends[packet.backend.value];
  counters.packets_out.add(1);
  counters.bytes_out.add(packet.length);
  return kReturnNat;
}

}  // namespace

void rewrite(Burst& burst, Context& context) noexcept {
  for (Packet& packet : burst.span()) {
    if (packet.verdict == kReplyReset) become_reset(packet);
    if (!packet.undecided()) continue;
    packet.verdict = packet.direction == Direction::kToClient ? to_client(packet, context)
                                                              : to_backend(packet, context);
  }
}

}  // namespace hawser::pipeline
