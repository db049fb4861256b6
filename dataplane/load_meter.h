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

  // One turn of the loop, which began at `began` of the cycle counter. What it cost is known when
  // the next one begins: a turn with packets takes far longer than one without, so counting turns
  // would call a worker idle that is nearly full.
  void count(bool busy, std::uint64_t began) noexcept {
    turns_.add(1);
    if (was_busy_) busy_ += began - last_;
    was_busy_ = busy;
    last_ = began;
    if (began - since_ < second_) return;
    permille_.store(busy_ * 1000 / (began - since_), std::memory_order_relaxed);
    since_ = began;
    busy_ = 0;
  }

  // Time in turns with packets, in thousandths.
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
  std::uint64_t last_ = 0;  // when the last turn began
  bool was_busy_ = false;   // that one
  std::uint64_t busy_ = 0;  // cycles since since_
  std::atomic<std::uint64_t> permille_{0};
};

}  // namespace hawser::dataplane
