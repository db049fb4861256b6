// The timer wheel: moving a timer, a timer's life up to its visit, and asking when nothing is due.
#include <benchmark/benchmark.h>

#include "hawser/table/timer_wheel.h"

namespace hawser::table {
namespace {

constexpr std::uint32_t kSlots = 4096;
constexpr std::uint32_t kTick = 10;

std::uint32_t scattered(std::uint32_t n) {
  return n * 2654435761U;
}

TimerWheel filled(std::uint32_t entries) {
  TimerWheel wheel(entries, kSlots, kTick, 0);
  for (std::uint32_t i = 0; i < entries; ++i) wheel.arm(i, scattered(i) % (kSlots * kTick));
  return wheel;
}

// One entry after another, in no order of memory, gets another time.
void timer_move(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  TimerWheel wheel = filled(entries);
  std::uint32_t next = 0;
  for (auto _ : state) {
    ++next;
    wheel.arm(scattered(next) % entries, scattered(next + 1) % (kSlots * kTick));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(timer_move)->Arg(1 << 10)->Arg(1 << 16)->Arg(1 << 20);

// Each entry is visited and armed again for a whole round later; the clock goes on by a tick.
void timer_visit(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  TimerWheel wheel = filled(entries);
  std::uint32_t now = 0;
  std::int64_t visits = 0;
  for (auto _ : state) {
    now += kTick;
    visits += wheel.expire(now, entries,
                           [&](std::uint32_t index) { wheel.arm(index, now + kSlots * kTick); });
  }
  state.SetItemsProcessed(visits);
}
BENCHMARK(timer_visit)->Arg(1 << 16)->Arg(1 << 20);

// What every burst pays between two ticks.
void timer_nothing_due(benchmark::State& state) {
  TimerWheel wheel = filled(1 << 16);
  std::uint32_t now = 1;
  for (auto _ : state) {
    benchmark::DoNotOptimize(now);
    benchmark::DoNotOptimize(wheel.expire(now, 32, [](std::uint32_t) {}));
  }
}
BENCHMARK(timer_nothing_due);

}  // namespace
}  // namespace hawser::table
