// The whole pipeline on bursts of 32 frames in memory: known and new flows, by forwarding mode.
#include <benchmark/benchmark.h>

#include "traffic.h"

namespace hawser::tests {
namespace {

using pipeline::Burst;

// Time per packet of known flows, the copying of frames included; compare with `copy_alone`.
void known_flows(benchmark::State& state, model::Forward forward, bool six) {
  Harness& harness = harness_with(forward);
  const auto flows = static_cast<std::uint32_t>(state.range(0));
  Traffic opening(flows, six, net::kTcpSyn);
  Burst burst;
  for (std::uint32_t n = 0; n < flows; n += limits::kBurst) {
    opening.next(burst);
    harness.run(burst);
  }
  Traffic traffic(flows, six, net::kTcpAck);
  for (auto _ : state) {
    traffic.next(burst);
    harness.run(burst);
    benchmark::DoNotOptimize(burst);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(limits::kBurst));
}
BENCHMARK_CAPTURE(known_flows, dsr_l2_ipv4, model::Forward::kDsrL2, false)->Arg(1024)->Arg(32768);
BENCHMARK_CAPTURE(known_flows, dsr_l2_ipv6, model::Forward::kDsrL2, true)->Arg(1024)->Arg(32768);
BENCHMARK_CAPTURE(known_flows, nat_ipv4, model::Forward::kNat, false)->Arg(1024)->Arg(32768);
BENCHMARK_CAPTURE(known_flows, nat_ipv6, model::Forward::kNat, true)->Arg(1024)->Arg(32768);

void copy_alone(benchmark::State& state) {
  Traffic traffic(static_cast<std::uint32_t>(state.range(0)), false, net::kTcpAck);
  Burst burst;
  for (auto _ : state) {
    traffic.next(burst);
    benchmark::DoNotOptimize(burst);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(limits::kBurst));
}
BENCHMARK(copy_alone)->Arg(1024)->Arg(32768);

}  // namespace
}  // namespace hawser::tests
