// Gives out local ports; finds connections that are over among those that hold them.
#include "local_port.h"

#include "flows.h"

namespace hawser::pipeline {
namespace {

bool is_finished(l4::FlowState state) noexcept {
  return state == l4::FlowState::kTimeWait || state == l4::FlowState::kReset;
}

template <typename Address, typename Tuple, typename Table>
bool reclaim(std::uint8_t address, Table& flows, Context& context) noexcept {
  WorkerState& worker = context.worker;
  decltype(flow_of<Address, Tuple>({}, flows, context)) oldest = nullptr;
  for (std::size_t i = 0; i < limits::kReclaimLooks; ++i) {
    const table::NatRecord& record = worker.nat.next_in_turn(address);
    if (record.is_free() || record.is_spliced()) continue;
    auto* flow = flow_of<Address, Tuple>(record, flows, context);
    if (flow == nullptr || !is_finished(flow->meta.state())) continue;
    const bool older = oldest == nullptr || context.now.since(flow->meta.seen()) >
                                                context.now.since(oldest->meta.seen());
    if (older) oldest = flow;
  }
  if (oldest == nullptr) return false;
  forget(flows, *oldest, worker);
  worker.nat_ports_reclaimed.add(1);
  return true;
}

bool reclaim_port(std::uint8_t address, net::Family family, Context& context) noexcept {
  return family == net::Family::kIpv4
             ? reclaim<net::Ipv4Address, hash::Ipv4Tuple>(address, context.worker.ipv4, context)
             : reclaim<net::Ipv6Address, hash::Ipv6Tuple>(address, context.worker.ipv6, context);
}

}  // namespace

std::optional<table::NatIndex> allocate_local(PortId port, net::Family family, std::uint64_t hash,
                                              Context& context) noexcept {
  const std::vector<std::uint8_t>& slots = context.snapshot.ports[port.value].nat(family);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::uint8_t slot = slots[(hash + i) % slots.size()];
    if (const auto free = context.worker.nat.allocate(slot)) return table::NatIndex{slot, *free};
  }
  for (const std::uint8_t slot : slots) {
    if (!reclaim_port(slot, family, context)) continue;
    if (const auto free = context.worker.nat.allocate(slot)) return table::NatIndex{slot, *free};
  }
  return std::nullopt;
}

}  // namespace hawser::pipeline
