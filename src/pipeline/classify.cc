// Stage: to which service, NAT address or kernel does a packet belong?
#include "hawser/pipeline/pipeline.h"
#include "headers.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

bool has_ports(const Packet& packet) noexcept {
  return packet.protocol == net::kProtocolTcp || packet.protocol == net::kProtocolUdp;
}

const ServiceId* find_service(const Packet& packet, const Snapshot& snapshot) noexcept {
  if (packet.family == net::Family::kIpv4) {
    return snapshot.ipv4_services.find({.address = destination_address<Ipv4Traits>(packet),
                                        .port = destination_port(packet),
                                        .protocol = packet.protocol});
  }
  return snapshot.ipv6_services.find({.address = destination_address<Ipv6Traits>(packet),
                                      .port = destination_port(packet),
                                      .protocol = packet.protocol});
}

net::IpAddress destination(const Packet& packet) noexcept {
  if (packet.family == net::Family::kIpv4) return destination_address<Ipv4Traits>(packet);
  return destination_address<Ipv6Traits>(packet);
}

// For a packet that no service matched, or that is not sound above IP.
Verdict classify_by_address(Packet& packet, const Context& context) noexcept {
  const table::AddressEntry* entry = context.snapshot.addresses.find({destination(packet)});
  if (entry == nullptr) return kPuntOther;
  switch (entry->role) {
    case table::AddressRole::kOwn:
      return kPuntLocal;
    case table::AddressRole::kService:
      return packet.fault == kUndecided ? kNoService : packet.fault;
    case table::AddressRole::kNat:
      break;
  }
  if (packet.fault != kUndecided) return packet.fault;
  if (!has_ports(packet)) return kNoService;
  const std::uint16_t port = destination_port(packet).host();
  const std::optional<WorkerId> owner = context.worker.nat.owner(port);
  if (!owner) return kNoFlow;
  packet.direction = Direction::kToClient;
  packet.nat_address = entry->slot;
  packet.nat_port = port;
  packet.worker = *owner;
  return *owner == context.worker.id ? kUndecided : kHandOff;
}

Verdict classify_one(Packet& packet, const Context& context) noexcept {
  if (packet.fault == kUndecided && has_ports(packet)) {
    if (const ServiceId* service = find_service(packet, context.snapshot)) {
      packet.direction = Direction::kToBackend;
      packet.service = *service;
      return kUndecided;
    }
  }
  return classify_by_address(packet, context);
}

}  // namespace

void classify(Burst& burst, const Context& context) noexcept {
  for (Packet& packet : burst.span()) {
    if (packet.undecided()) packet.verdict = classify_one(packet, context);
  }
}

}  // namespace hawser::pipeline
