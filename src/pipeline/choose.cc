// Chooses backends by table, bounded load, previous owner and connection ID.
#include "choose.h"

#include <algorithm>

#include "headers.h"

namespace hawser::pipeline {
namespace {

// --- slots ---------------------------------------------------------------------------------------

// The hash that picks the slot: of the whole tuple, or of the client's prefix alone.
template <typename Traits, typename Tuple>
std::uint64_t prefix_hash(const Packet& packet, const ServiceEntry& service,
                          const Snapshot& snapshot) noexcept {
  const net::IpAddress prefix = net::masked(peer_address<Traits>(packet), service.affinity_prefix);
  const auto vip = load<typename Traits::Address>(service.address.bytes.data());
  const Tuple tuple{.source = load<typename Traits::Address>(prefix.bytes.data()),
                    .destination = vip,
                    .source_port = {},
                    .destination_port = packet.destination_port,
                    .protocol = packet.protocol};
  return snapshot.flow_hash(tuple);
}

std::uint64_t slot_hash(const Packet& packet, const ServiceEntry& service,
                        const Snapshot& snapshot) noexcept {
  if (service.affinity != model::AffinityBy::kSource) return packet.hash;
  return packet.family == net::Family::kIpv4
             ? prefix_hash<Ipv4Traits, hash::Ipv4Tuple>(packet, service, snapshot)
             : prefix_hash<Ipv6Traits, hash::Ipv6Tuple>(packet, service, snapshot);
}

BackendId owner_of(std::uint32_t slot, const ServiceEntry& service) noexcept {
  const std::uint16_t owner = service.table->owner(slot);
  return owner == table::Maglev::kNobody ? BackendId() : service.members[owner];
}

// --- bounded load --------------------------------------------------------------------------------

// How many live flows each backend of a service may have now.
class Bound {
 public:
  Bound(const ServiceEntry& service, ServiceId id, const Context& context) noexcept
      : service_(service), context_(context) {
    const WorkerState& worker = context.worker;
    std::uint64_t live = worker.service_flows[id.value].read() -
                         worker.service_ended[id.value].read() + worker.others.of(id);
    // What leaves takes no part: the bound is about those that share the new flows.
    for (const BackendId leaving : service.leaving) live -= std::min(live, load_of(leaving));
    allowed_ = (live + 1) * (1000U + service.bounded_load_permille);
  }

  // One flow more does not lift it above (1 + epsilon) times its share, rounded up.
  [[nodiscard]] bool admits(BackendId backend) const noexcept {
    const std::uint64_t load = load_of(backend);
    if (load < limits::kBoundedLoadFloor) return true;
    const std::uint64_t weight = context_.snapshot.backends[backend.value].weight;
    return load * 1000U * service_.total_weight < allowed_ * weight;
  }

 private:
  [[nodiscard]] std::uint64_t load_of(BackendId backend) const noexcept {
    return context_.worker.backends[backend.value].load() + context_.worker.others.of(backend);
  }

  const ServiceEntry& service_;
  const Context& context_;
  std::uint64_t allowed_ = 0;  // flows of all, in thousandths
};

// Further slots in the packet's own order, then every member in turn from a slot's owner on: some
// member is always at or below its share.
BackendId next_candidate(std::uint64_t hash, BackendId owner, const ServiceEntry& service,
                         const Bound& bound) noexcept {
  std::uint32_t slot = 0;
  for (std::uint32_t i = 0; i < limits::kCandidates; ++i) {
    hash = hash::mix(hash + 0x9e3779b97f4a7c15ULL);
    slot = hash::reduce(hash, service.table->slots());
    const BackendId candidate = owner_of(slot, service);
    if (bound.admits(candidate)) return candidate;
  }
  const std::size_t members = service.members.size();
  for (std::size_t i = 0; i < members; ++i) {
    const BackendId candidate = service.members[(service.table->owner(slot) + i) % members];
    if (bound.admits(candidate)) return candidate;
  }
  return owner;
}

// --- previous owner ------------------------------------------------------------------------------

// Who owned the slot before its last change, if that was not long ago and he may get the packet.
BackendId previous_owner(std::uint32_t slot, bool opens, const ServiceEntry& service,
                         const Packet& packet, Context& context) noexcept {
  if (!service.table->changed(slot) || service.previous == nullptr) return {};
  if (context.now_ms - service.changed_ms > limits::kPreviousOwnerMilliseconds) return {};
  const BackendId* previous = service.previous->find({slot});
  if (previous == nullptr) return {};
  const BackendEntry& backend = context.snapshot.backends[previous->value];
  const model::Admission least = opens ? model::Admission::kServing : model::Admission::kDraining;
  return backend.service == packet.service && backend.admission <= least ? *previous : BackendId();
}

}  // namespace

Choice choose_by_hash(std::uint64_t hash, ServiceId id, const ServiceEntry& service,
                      const Context& context) noexcept {
  const BackendId owner = owner_of(hash::reduce(hash, service.table->slots()), service);
  if (owner == BackendId() || service.bounded_load_permille == 0) return {.backend = owner};
  const Bound bound(service, id, context);
  if (bound.admits(owner)) [[likely]]
    return {.backend = owner};
  const BackendId candidate = next_candidate(hash, owner, service, bound);
  return {.backend = candidate, .spilled = candidate != owner};
}

BackendId choose_for_new(const Packet& packet, const ServiceEntry& service,
                         Context& context) noexcept {
  const std::uint64_t hash = slot_hash(packet, service, context.snapshot);
  const Choice choice = choose_by_hash(hash, packet.service, service, context);
  if (choice.spilled) context.worker.spilled.add(1);
  return choice.backend;
}

BackendId choose_by_table(const Packet& packet, const ServiceEntry& service,
                          Context& context) noexcept {
  const std::uint64_t hash = slot_hash(packet, service, context.snapshot);
  const std::uint32_t slot = hash::reduce(hash, service.table->slots());
  const bool opens = packet.protocol == net::kProtocolUdp || is_pure_syn(packet);
  const BackendId previous = previous_owner(slot, opens, service, packet, context);
  if (previous == BackendId()) return owner_of(slot, service);
  context.worker.previous_owner.add(1);
  return previous;
}

BackendId choose_by_connection_id(const Packet& packet, const ServiceEntry& service,
                                  const Snapshot& snapshot) noexcept {
  const std::size_t begin = packet.l4_offset + sizeof(net::UdpHeader);
  const std::size_t end =
      std::min<std::size_t>(packet.l4_offset + packet.l4_length, packet.contiguous);
  const bool readable = packet.part == Part::kWhole || packet.part == Part::kFirstFragment;
  if (!readable || end <= begin) return {};
  const QuicRoutes& routes = *service.quic;
  const auto id = l4::destination_connection_id({packet.data + begin, end - begin},
                                                routes.codec.connection_id_length());
  if (!id) return {};
  const auto server = routes.codec.server_id(*id);
  const BackendId* backend = server ? routes.backends.find(*server) : nullptr;
  if (backend == nullptr) return {};
  return snapshot.backends[backend->value].admission == model::Admission::kDown ? BackendId()
                                                                                : *backend;
}

}  // namespace hawser::pipeline
