// Stage: to which service, NAT address or kernel does a packet belong?
#include "hawser/pipeline/pipeline.h"
#include "headers.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

const ServiceId* find_service(const Packet& packet, const Snapshot& snapshot) noexcept {
  if (packet.family == net::Family::kIpv4) {
    return snapshot.ipv4_services.find({.address = destination_address<Ipv4Traits>(packet),
                                        .port = packet.destination_port,
                                        .protocol = packet.protocol});
  }
  return snapshot.ipv6_services.find({.address = destination_address<Ipv6Traits>(packet),
                                      .port = packet.destination_port,
                                      .protocol = packet.protocol});
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
  const std::uint16_t port = packet.destination_port.host();
  const std::optional<WorkerId> owner = context.worker.nat.owner(port);
  if (!owner) return kNoFlow;
  packet.direction = Direction::kToClient;
  packet.nat_address = entry->slot;
  packet.nat_port = port;
  packet.worker = *owner;
  return *owner == context.worker.id ? kUndecided : kHandOff;
}

// Only of clients: an ICMP error may come from any router.
Verdict check_source(const Packet& packet, const AccessRules& rules) noexcept {
  if (rules.table == nullptr || packet.part == Part::kQuoted) [[likely]]
    return kUndecided;
  const table::Access access = packet.family == net::Family::kIpv4
                                   ? rules.table->find(source_address<Ipv4Traits>(packet))
                                   : rules.table->find(source_address<Ipv6Traits>(packet));
  const bool denied = access == table::Access::kDenied ||
                      (access == table::Access::kUnlisted && rules.unlisted_denied);
  return denied ? kSourceDenied : kUndecided;
}

Verdict classify_one(Packet& packet, const Context& context) noexcept {
  if (packet.fault == kUndecided && has_ports(packet)) {
    if (const ServiceId* service = find_service(packet, context.snapshot)) {
      packet.direction = Direction::kToBackend;
      packet.service = *service;
      return check_source(packet, context.snapshot.services[service->value].access);
    }
  }
  return classify_by_address(packet, context);
}

}  // namespace

void classify(Burst& burst, const Context& context) noexcept {
  for (Packet& packet : burst.unknown()) {
    if (packet.undecided()) packet.verdict = classify_one(packet, context);
  }
}

}  // namespace hawser::pipeline
