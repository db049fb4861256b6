// Stage: gives later fragments of a datagram the ports of the first.
#include "fragments.h"

#include "as_received.h"
#include "hawser/pipeline/pipeline.h"
#include "headers.h"

namespace hawser::pipeline {
namespace {

using enum Verdict;

void remember_first(const Packet& packet, std::uint64_t key, Context& context) noexcept {
  WorkerState& worker = context.worker;
  table::FragmentEntry* entry = worker.fragments.find(key, context.now_ms);
  const bool again = entry != nullptr && entry->source_port == packet.source_port &&
                     entry->destination_port == packet.destination_port;
  if (!again) {
    entry = &worker.fragments.put(key, context.now_ms);
    entry->source_port = packet.source_port;
    entry->destination_port = packet.destination_port;
    entry->identification = take_identification(worker);
  }
  worker.held.take(key, [&](const Packet& held) { return worker.outbox.release(held); });
}

Verdict join(Packet& packet, Context& context) noexcept {
  if (!is_for_flows(packet, context.snapshot.addresses)) return kUndecided;
  const std::uint64_t key = fragment_key(packet, context.snapshot);
  if (packet.part == Part::kFirstFragment) {
    remember_first(packet, key, context);
    return kUndecided;
  }
  if (const auto* entry = context.worker.fragments.find(key, context.now_ms)) {
    packet.source_port = entry->source_port;
    packet.destination_port = entry->destination_port;
    return kUndecided;
  }
  const bool held = context.worker.held.hold(key, as_received(packet), context.now_ms);
  return held ? kHoldFragment : kFragmentTableFull;
}

}  // namespace

// Each worker has ids of its own, so that no two of them send the same.
std::uint64_t fragment_key(const Packet& packet, const Snapshot& snapshot) noexcept {
  constexpr std::uint32_t kFragmentMark = 0x100;  // sets these apart from the hashes of flows
  const std::uint32_t protocol = kFragmentMark | packet.protocol;
  if (packet.family == net::Family::kIpv4) {
    const auto ip = load<net::Ipv4Header>(packet.data + packet.l3_offset);
    return 1U | snapshot.flow_hash(hash::Ipv4Tuple{.source = ip.source,
                                                   .destination = ip.destination,
                                                   .source_port = ip.identification,
                                                   .destination_port = {},
                                                   .protocol = protocol});
  }
  const auto ip = load<net::Ipv6Header>(packet.data + packet.l3_offset);
  const std::uint32_t id =
      load<net::Ipv6FragmentHeader>(packet.data + fragment_header_offset(packet))
          .identification.host();
  return 1U | snapshot.flow_hash(
                  hash::Ipv6Tuple{.source = ip.source,
                                  .destination = ip.destination,
                                  .source_port = net::Big16(static_cast<std::uint16_t>(id >> 16)),
                                  .destination_port = net::Big16(static_cast<std::uint16_t>(id)),
                                  .protocol = protocol});
}

std::size_t fragment_header_offset(const Packet& packet) noexcept {
  const std::size_t begin = packet.l3_offset + sizeof(net::Ipv6Header);
  const auto ip = load<net::Ipv6Header>(packet.data + packet.l3_offset);
  const net::Ipv6Chain chain =
      net::walk_chain(ip.next_header, {packet.data + begin, packet.l4_offset - begin});
  return begin + chain.fragment_offset;
}

void join_fragments(Burst& burst, Context& context) noexcept {
  for (Packet& packet : burst.unknown()) {
    const bool piece = packet.part == Part::kFirstFragment || packet.part == Part::kLaterFragment;
    if (!piece || !packet.undecided() || packet.fault != kUndecided || !has_ports(packet)) continue;
    packet.verdict = join(packet, context);
  }
}

void tick_fragments(Context& context) noexcept {
  context.worker.held.take_overdue(context.now_ms, [&](const Packet& held) {
    Packet lost = held;
    lost.verdict = kFragmentFirstMissing;
    return context.worker.outbox.finish(lost);
  });
}

}  // namespace hawser::pipeline
