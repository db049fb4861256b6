// Snapshots of many services: the first build, one change, and freeing the one before.
#include <string>

#include <benchmark/benchmark.h>

#include "support/harness.h"

namespace hawser::tests {
namespace {

constexpr std::uint64_t no_flows(BackendId) {
  return 0;
}

model::Desired desired(std::int64_t services, std::int64_t backends) {
  model::Desired result{.epoch = Epoch(1), .flow_key = Harness::key()};
  for (std::int64_t s = 0; s < services; ++s) {
    model::Service made = service("service-" + std::to_string(s), "10.0.0.100",
                                  static_cast<std::uint16_t>(s + 1), {});
    for (std::int64_t b = 0; b < backends; ++b) {
      model::Backend one = backend("backend-with-a-name-" + std::to_string(b), "0.0.0.0", 80);
      const auto number = static_cast<std::uint32_t>(s * backends + b + 1);
      one.address = net::Ipv4Address{net::Big32(100U << 24U | number)};
      made.backends.push_back(std::move(one));
    }
    result.services.push_back(std::move(made));
  }
  return result;
}

pipeline::PortSetup port() {
  pipeline::PortSetup setup = default_port();
  setup.gateways = {address("10.0.0.1")};
  return setup;
}

void first_snapshot(benchmark::State& state) {
  const model::Desired wanted = desired(state.range(0), 100);
  for (auto _ : state) {
    pipeline::SnapshotBuilder builder({port()}, limits::kMaxBackends);
    benchmark::DoNotOptimize(builder.build(wanted, no_flows)->get());
  }
}
BENCHMARK(first_snapshot)->Arg(10)->Arg(1000)->Unit(benchmark::kMillisecond)->Iterations(1);

// From one change of a weight to the freed snapshot before; the tables of one service change.
void one_change(benchmark::State& state) {
  model::Desired wanted = desired(state.range(0), 100);
  pipeline::SnapshotBuilder builder({port()}, limits::kMaxBackends);
  std::unique_ptr<const pipeline::Snapshot> running = *builder.build(wanted, no_flows);
  for (auto _ : state) {
    const auto number = static_cast<std::size_t>(wanted.epoch.value * 7) % wanted.services.size();
    model::Service changed = wanted.services[number];
    changed.backends[wanted.epoch.value % 100].weight ^= 1U;
    wanted.services.put(number, std::move(changed));
    wanted.epoch = Epoch(wanted.epoch.value + 1);
    running = *builder.build(wanted, no_flows);
    benchmark::DoNotOptimize(builder.take_changed_tables());
  }
}
BENCHMARK(one_change)->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond)->Iterations(50);

}  // namespace
}  // namespace hawser::tests
