// Sizes and maps the tables of a worker.
#include "dataplane/worker_memory.h"

#include <algorithm>
#include <random>
#include <utility>

#include "dataplane/worker_clock.h"

namespace hawser::dataplane {
namespace {

using pipeline::Ipv4Flows;
using pipeline::Ipv6Flows;
using table::NatRecord;
using table::NatTable;

constexpr std::size_t kHeadBytes = limits::kHeadBuffers * limits::kMaxHttpHead;
constexpr std::size_t kTextsBytes = limits::kTexts * limits::kTextBytes;
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
  memory.spliced_ = std::clamp(records, limits::kMinSpliced, limits::kMaxSpliced) + 1;
  mapped = map(memory.connections_, memory.spliced_ * sizeof(pipeline::Connection), Pages::kSmall);
  if (!mapped) return mapped.error();
  mapped = map(memory.exchanges_, memory.spliced_ * sizeof(pipeline::Exchange), Pages::kSmall);
  if (!mapped) return mapped.error();
  mapped = map(memory.heads_, kHeadBytes, Pages::kSmall);
  if (!mapped) return mapped.error();
  mapped = map(memory.texts_, kTextsBytes, Pages::kSmall);
  if (!mapped) return mapped.error();
  mapped = map(memory.counters_, kCounters * sizeof(stats::BackendCounters), Pages::kSmall);
  if (!mapped) return mapped.error();
  mapped = map(memory.times_, limits::kTimedBackends * sizeof(stats::BackendTimes), Pages::kSmall);
  if (!mapped) return mapped.error();
  mapped = map(memory.sessions_, limits::kSessionBackends * sizeof(affinity::LiveSessions),
               Pages::kSmall);
  if (!mapped) return mapped.error();
  return memory;
}

pipeline::WorkerState WorkerMemory::state(WorkerId id) const {
  std::random_device random;
  return {id,
          ipv4_.as<Ipv4Flows::Bucket>(ipv4_buckets_),
          ipv6_.as<Ipv6Flows::Bucket>(ipv6_buckets_),
          nat_.as<NatRecord>(NatTable::records_needed(nat_addresses_, workers_)),
          nat_addresses_,
          workers_,
          counters_.as<stats::BackendCounters>(kCounters),
          random(),
          pipeline_milliseconds(),
          limits::kOpenings,
          {.connections = connections_.as<pipeline::Connection>(spliced_),
           .exchanges = exchanges_.as<pipeline::Exchange>(spliced_),
           .heads = heads_.as<std::uint8_t>(kHeadBytes),
           .texts = texts_.as<std::uint8_t>(kTextsBytes),
           .seed = std::uint64_t{random()} << 32 | random()},
          times_.as<stats::BackendTimes>(limits::kTimedBackends),
          sessions_.as<affinity::LiveSessions>(limits::kSessionBackends)};
}

void WorkerMemory::touch() noexcept {
  ipv4_.touch();
  ipv6_.touch();
  nat_.touch();
}

}  // namespace hawser::dataplane
