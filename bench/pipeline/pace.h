// Pace: the time that a benchmark's packets see, advancing as a worker's does.
#pragma once

#include <chrono>
#include <cstdint>

#include "hawser/base/time.h"

namespace hawser::bench {

class Pace {
 public:
  Pace() : start_(now()), last_(start_) {}

  // Whole microseconds since the last call that returned some; 0 within a step of 50, after which a
  // worker looks at what is due without a packet.
  [[nodiscard]] std::uint64_t advance() noexcept {
    constexpr std::uint64_t kStep = 50;
    const std::uint64_t at = now();
    if (at < last_ + kStep) return 0;
    const std::uint64_t passed = at - last_;
    last_ = at;
    return passed;
  }
  // All that idles grows older by so much at once.
  void skip(std::uint32_t seconds) noexcept { skipped_ += std::uint64_t{seconds} * 1'000'000; }

  [[nodiscard]] CoarseTime coarse() const noexcept {
    return {static_cast<std::uint16_t>(elapsed() / 1'000'000)};
  }
  [[nodiscard]] std::uint32_t milliseconds() const noexcept {
    return static_cast<std::uint32_t>(elapsed() / 1000);
  }
  [[nodiscard]] std::uint32_t microseconds() const noexcept {
    return static_cast<std::uint32_t>(elapsed());
  }
  [[nodiscard]] std::uint64_t unix_seconds() const noexcept {
    constexpr std::uint64_t kStart = 1'800'000'000;
    return kStart + elapsed() / 1'000'000;
  }

 private:
  [[nodiscard]] static std::uint64_t now() noexcept {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
  }
  [[nodiscard]] std::uint64_t elapsed() const noexcept { return last_ - start_ + skipped_; }

  std::uint64_t start_;
  std::uint64_t last_;
  std::uint64_t skipped_ = 1'000'000;
};

}  // namespace hawser::bench
