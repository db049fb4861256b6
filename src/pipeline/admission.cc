// Asks the limits of a service: source rate, flows, rate of new flows.
#include "admission.h"

#include "headers.h"

namespace hawser::pipeline {
namespace {

// The key of a source prefix at a service, for its token bucket.
template <typename Traits, typename Tuple>
std::uint64_t source_key(const Packet& packet, const model::SourceRate& rate,
                         const Snapshot& snapshot) noexcept {
  constexpr std::uint32_t kSourceMark = 0x200;  // sets these apart from the hashes of flows
  const unsigned bits = Traits::kFamily == net::Family::kIpv4 ? rate.ipv4_prefix : rate.ipv6_prefix;
  const net::IpAddress prefix = net::masked(source_address<Traits>(packet), bits);
  return snapshot.flow_hash(Tuple{.source = load<typename Traits::Address>(prefix.bytes.data()),
                                  .destination = destination_address<Traits>(packet),
                                  .source_port = {},
                                  .destination_port = packet.destination_port,
                                  .protocol = kSourceMark | packet.protocol});
}

}  // namespace

bool is_within_source_rate(const Packet& packet, const ServiceEntry& service,
                           Context& context) noexcept {
  const model::SourceRate& rate = service.source_rate;
  if (rate.per_second == 0) [[likely]]
    return true;
  const std::uint64_t key =
      packet.family == net::Family::kIpv4
          ? source_key<Ipv4Traits, hash::Ipv4Tuple>(packet, rate, context.snapshot)
          : source_key<Ipv6Traits, hash::Ipv6Tuple>(packet, rate, context.snapshot);
  return context.worker.sources.take(key, {rate.per_second, rate.burst}, context.now_ms);
}

bool is_full(ServiceId id, const ServiceEntry& service, const WorkerState& worker) noexcept {
  if (service.max_flows == 0) [[likely]]
    return false;
  return worker.service_flows[id.value].read() + worker.others.of(id) >= service.max_flows;
}

bool is_within_new_flow_rate(ServiceId id, const ServiceEntry& service, Context& context) noexcept {
  if (service.new_flow_rate.per_second == 0) [[likely]]
    return true;
  return context.worker.new_flow_buckets[id.value].take(service.new_flow_rate, context.now_ms);
}

}  // namespace hawser::pipeline
