// LoadMeter: how busy a worker was in the last whole second, and that it turns at all.
#pragma once

#include <atomic>
#include <cstdint>

#include "hawser/stats/counter.h"

namespace hawser::dataplane {

// Threading: one worker counts, anyone reads permille() and turns().
class LoadMeter {
 public:
  explicit LoadMeter(std::uint64_t cycles_per_second) noexcept : second_(cycles_per_second) {}

  // One turn of the loop, at `cycles` of the cycle counter.
  void count(bool busy, std::uint64_t cycles) noexcept {
    turns_.add(1);
    busy_ += busy ? 1 : 0;
    if (cycles - since_ < second_) return;
    const std::uint64_t turns = turns_.read();
    permille_.store(busy_ * 1000 / (turns - turns_before_), std::memory_order_relaxed);
    since_ = cycles;
    turns_before_ = turns;
    busy_ = 0;
  }

  // Turns with packets among all turns, in thousandths.
  [[nodiscard]] std::uint64_t permille() const noexcept {
    return permille_.load(std::memory_order_relaxed);
  }

  // Turns since the start: a worker whose number stands has hung, as even an idle one sleeps for
  // limits::kLongestSleepMicroseconds only.
  [[nodiscard]] std::uint64_t turns() const noexcept { return turns_.read(); }

 private:
  std::uint64_t second_;
  std::uint64_t since_ = 0;
  stats::Counter turns_;
  std::uint64_t turns_before_ = 0;  // up to the last whole second
  std::uint64_t busy_ = 0;
  std::atomic<std::uint64_t> permille_{0};
};

}  // namespace hawser::dataplane
