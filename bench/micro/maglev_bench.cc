// A service's table: first build and minimum-move update, and how many slots move.
#include <string>

#include <benchmark/benchmark.h>

#include "hawser/hash/flow_hash.h"
#include "hawser/table/maglev.h"

namespace hawser::table {
namespace {

std::vector<Member> members(std::int64_t count) {
  std::vector<Member> result;
  for (std::int64_t i = 0; i < count; ++i) {
    result.push_back({.identity = hash::name_hash("b" + std::to_string(i), 1), .weight = 100});
  }
  return result;
}

void build(benchmark::State& state) {
  const std::vector<Member> all = members(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(Maglev::build(all, static_cast<std::uint32_t>(state.range(1))));
  }
}
BENCHMARK(build)
    ->ArgsProduct({{100, 1000}, {limits::kTableSlots, limits::kLargeTableSlots}})
    ->Unit(benchmark::kMicrosecond);

void update_without_one(benchmark::State& state) {
  const auto before =
      Maglev::build(members(state.range(0)), static_cast<std::uint32_t>(state.range(1)));
  std::vector<Member> after = members(state.range(0));
  after.erase(after.begin() + 7);
  std::uint32_t moved = 0;
  for (auto _ : state) {
    const auto table = Maglev::update(*before, after);
    moved = table->moved_from(*before);
    benchmark::DoNotOptimize(moved);
  }
  state.counters["moved"] = moved;
  state.counters["unavoidable"] = before->counts()[7];
}
BENCHMARK(update_without_one)
    ->ArgsProduct({{100, 1000}, {limits::kTableSlots, limits::kLargeTableSlots}})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace hawser::table
