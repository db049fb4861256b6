// Sizes and maps the tables of a worker.
#include "dataplane/worker_memory.h"

#include <random>
#include <utility>

#include "dataplane/worker_clock.h"

namespace hawser::dataplane {
namespace {

using pipeline::Ipv4Flows;
using pipeline::Ipv6Flows;
using table::NatRecord;
using table::NatTable;

constexpr std::size_t kCounters = limits::kMaxBackends + 1;

}  // namespace

Result<WorkerMemory> WorkerMemory::create(const model::Dataplane& dataplane,
                                          std::size_t nat_addresses) {
  WorkerMemory memory;
  memory.ipv4_buckets_ = Ipv4Flows::buckets_for(dataplane.flows_ipv4);
  memory.ipv6_buckets_ = Ipv6Flows::buckets_for(dataplane.flows_ipv6);
  memory.nat_addresses_ = nat_addresses;
  memory.workers_ = static_cast<std::uint16_t>(dataplane.workers.size());
  const std::size_t records = NatTable::records_needed(nat_addresses, memory.workers_);

  const auto map = [](Mapping& into, std::size_t bytes, Pages pages) -> Result<void> {
    Result<Mapping> mapping = Mapping::create(bytes, pages);
    if (!mapping) return mapping.error();
    into = *std::move(mapping);
    return {};
  };
  Result<void> mapped =
      map(memory.ipv4_, memory.ipv4_buckets_ * sizeof(Ipv4Flows::Bucket), Pages::kHugeIfFree);
  if (!mapped) return mapped.error();
  mapped = map(memory.ipv6_, memory.ipv6_buckets_ * sizeof(Ipv6Flows::Bucket), Pages::kHugeIfFree);
  if (!mapped) return mapped.error();
  mapped = map(memory.nat_, records * sizeof(NatRecord), Pages::kHugeIfFree);
  if (!mapped) return mapped.error();
  mapped = map(memory.counters_, kCounters * sizeof(stats::BackendCounters), Pages::kSmall);
  if (!mapped) return mapped.error();
  return memory;
}

pipeline::WorkerState WorkerMemory::state(WorkerId id) const {
  return {id,
          ipv4_.as<Ipv4Flows::Bucket>(ipv4_buckets_),
          ipv6_.as<Ipv6Flows::Bucket>(ipv6_buckets_),
          nat_.as<NatRecord>(NatTable::records_needed(nat_addresses_, workers_)),
          nat_addresses_,
          workers_,
          counters_.as<stats::BackendCounters>(kCounters),
          std::random_device{}(),
          pipeline_milliseconds()};
}

void WorkerMemory::touch() noexcept {
  ipv4_.touch();
  ipv6_.touch();
  nat_.touch();
}

}  // namespace hawser::dataplane
