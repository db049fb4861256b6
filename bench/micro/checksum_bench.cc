// Checksums and hashes: cost per message and per flow.
#include <vector>

#include <benchmark/benchmark.h>

#include "hawser/hash/flow_hash.h"
#include "hawser/net/checksum.h"

namespace hawser {
namespace {

void sum_of_bytes(benchmark::State& state) {
  const std::vector<std::uint8_t> bytes(static_cast<std::size_t>(state.range(0)), 0x5a);
  for (auto _ : state) benchmark::DoNotOptimize(net::checksum(bytes));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(sum_of_bytes)->Arg(20)->Arg(64)->Arg(1460)->Arg(9000);

void update_of_address_and_port(benchmark::State& state) {
  net::Big16 sum(0x1234);
  std::uint32_t address = 1;
  for (auto _ : state) {
    net::ChecksumDelta delta;
    delta.change(net::Big32(address), net::Big32(address + 1));
    delta.change(net::Big16(80), net::Big16(static_cast<std::uint16_t>(address)));
    sum = delta.apply(sum);
    benchmark::DoNotOptimize(sum);
    ++address;
  }
}
BENCHMARK(update_of_address_and_port);

template <typename Tuple>
void flow_hash(benchmark::State& state) {
  const hash::FlowHash hash(hash::FlowHash::Key{1, 2, 3});
  Tuple tuple{.protocol = 6};
  std::uint16_t port = 0;
  for (auto _ : state) {
    tuple.source_port = net::Big16(port++);
    benchmark::DoNotOptimize(hash(tuple));
  }
}
BENCHMARK(flow_hash<hash::Ipv4Tuple>);
BENCHMARK(flow_hash<hash::Ipv6Tuple>);

}  // namespace
}  // namespace hawser
