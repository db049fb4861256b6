// LoadMeter: how busy a worker was in the last whole second.
#pragma once

#include <atomic>
#include <cstdint>

namespace hawser::dataplane {

// Threading: one worker counts, anyone reads permille().
class LoadMeter {
 public:
  explicit LoadMeter(std::uint64_t cycles_per_second) noexcept : second_(cycles_per_second) {}

  // One turn of the loop, at `cycles` of the cycle counter.
  void count(bool busy, std::uint64_t cycles) noexcept {
    ++turns_;
    busy_ += busy ? 1 : 0;
    if (cycles - since_ < second_) return;
    permille_.store(busy_ * 1000 / turns_, std::memory_order_relaxed);
    since_ = cycles;
    turns_ = 0;
    busy_ = 0;
  }

  // Turns with packets among all turns, in thousandths.
  [[nodiscard]] std::uint64_t permille() const noexcept {
    return permille_.load(std::memory_order_relaxed);
  }

 private:
  std::uint64_t second_;
  std::uint64_t since_ = 0;
  std::uint64_t turns_ = 0;
  std::uint64_t busy_ = 0;
  std::atomic<std::uint64_t> permille_{0};
};

}  // namespace hawser::dataplane
