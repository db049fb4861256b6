// The flow table: hits at growing sizes, and inserts.
#include <vector>

#include <benchmark/benchmark.h>

#include "hawser/hash/flow_hash.h"
#include "hawser/table/flow_table.h"

namespace hawser::table {
namespace {

using Table = FlowTable<Ipv4Flow>;

Table::Key key_of(std::uint32_t n) {
  return {.client = {net::Big32(n)},
          .client_port = net::Big16(static_cast<std::uint16_t>(n)),
          .service = ServiceId(1)};
}

void fill(Table& table, std::uint32_t flows) {
  const FlowMeta meta(CoarseTime{1}, l4::FlowState::kEstablished, BackendId(1), FlowMeta::kNoNat);
  for (std::uint32_t n = 0; n < flows; ++n) {
    benchmark::DoNotOptimize(table.insert(key_of(n), hash::mix(n), meta));
  }
}

// As the pipeline does it: a burst is prefetched, then matched.
void hit(benchmark::State& state) {
  const auto flows = static_cast<std::uint32_t>(state.range(0));
  std::vector<Table::Bucket> memory(Table::buckets_for(flows));
  Table table(memory);
  fill(table, flows);
  std::uint32_t next = 0;
  for (auto _ : state) {
    std::array<std::uint32_t, limits::kBurst> burst{};
    for (std::uint32_t& n : burst) {
      n = (next++ * 2654435761U) % flows;
      table.prefetch(hash::mix(n));
    }
    for (const std::uint32_t n : burst) {
      benchmark::DoNotOptimize(table.find(key_of(n), hash::mix(n)));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(limits::kBurst));
}
BENCHMARK(hit)->Arg(1)->Arg(1 << 10)->Arg(1 << 16)->Arg(1 << 20)->Arg(1 << 22);

void insert(benchmark::State& state) {
  const auto flows = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<Table::Bucket> memory(Table::buckets_for(flows));
    Table table(memory);
    state.ResumeTiming();
    fill(table, flows);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(insert)->Arg(1 << 16);

}  // namespace
}  // namespace hawser::table
