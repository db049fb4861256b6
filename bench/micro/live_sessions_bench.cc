// Live sessions: noting one, and estimating them, for backends of which few lines are in the cache.
#include <vector>

#include <benchmark/benchmark.h>

#include "hawser/affinity/live_sessions.h"
#include "hawser/hash/flow_hash.h"

namespace hawser::affinity {
namespace {

constexpr std::uint32_t kNow = 180'000'000;
// A bucket lasts ten seconds; with so many requests in one it stands for a busy worker.
constexpr std::uint64_t kRequestsPerBucket = 100'000;

void sessions_see(benchmark::State& state) {
  const auto backends = static_cast<std::size_t>(state.range(0));
  std::vector<LiveSessions> sketches(backends);
  std::uint64_t requests = 0;
  for (auto _ : state) {
    const std::uint64_t id = hash::mix(++requests);
    const auto bucket = static_cast<std::uint32_t>(requests / kRequestsPerBucket);
    sketches[(id >> 40U) % backends].see(id, kNow + bucket);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(sessions_see)->Arg(1)->Arg(100)->Arg(1000);

// What the main core pays for each backend and answer; four workers.
void sessions_estimate(benchmark::State& state) {
  std::vector<LiveSessions> workers(4);
  for (std::uint64_t i = 0; i < 10'000; ++i) workers[i % 4].see(hash::mix(i), kNow);
  std::vector<const LiveSessions*> parts;
  for (const LiveSessions& worker : workers) parts.push_back(&worker);
  for (auto _ : state) benchmark::DoNotOptimize(live_sessions(parts, kNow, 90));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(sessions_estimate);

}  // namespace
}  // namespace hawser::affinity
