// WorkerClock: the time a worker's packets see, without a system call per burst.
//
// The cycle counter says when a step is over; only then the monotonic clock is read.
// Threading: one worker's own.
#pragma once

#include <rte_cycles.h>

#include <ctime>

#include "hawser/base/time.h"

namespace hawser::dataplane {

// The millisecond clock of the pipeline: monotonic, wrapping.
[[nodiscard]] inline std::uint32_t milliseconds_of(const timespec& time) noexcept {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(time.tv_sec) * 1000 +
                                    static_cast<std::uint64_t>(time.tv_nsec) / 1'000'000);
}
[[nodiscard]] inline std::uint32_t pipeline_milliseconds() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return milliseconds_of(time);
}

class WorkerClock {
 public:
  WorkerClock() noexcept : hertz_(rte_get_tsc_hz()), last_(rte_rdtsc()), now_(last_) {
    read_seconds();
  }

  // Whole microseconds since the last call that returned some; 0 within a step.
  [[nodiscard]] std::uint64_t advance() noexcept {
    now_ = rte_rdtsc();
    if (now_ < last_ + cycles(kStepMicroseconds)) return 0;
    const std::uint64_t passed = (now_ - last_) / (hertz_ / kMicro);
    last_ += passed * (hertz_ / kMicro);
    read_seconds();
    return passed;
  }

  // All as of the last advance().
  [[nodiscard]] CoarseTime coarse() const noexcept { return coarse_; }
  [[nodiscard]] std::uint32_t milliseconds() const noexcept { return milliseconds_; }
  [[nodiscard]] std::uint32_t microseconds() const noexcept {
    return static_cast<std::uint32_t>(now_ / (hertz_ / kMicro));
  }
  // Of the wall clock, since 1970.
  [[nodiscard]] std::uint64_t unix_seconds() const noexcept { return unix_seconds_; }
  [[nodiscard]] std::uint64_t now() const noexcept { return now_; }

  [[nodiscard]] std::uint64_t cycles(std::uint64_t microseconds) const noexcept {
    return hertz_ / kMicro * microseconds;
  }

 private:
  static constexpr std::uint64_t kMicro = 1'000'000;
  static constexpr std::uint64_t kStepMicroseconds = 50;

  void read_seconds() noexcept {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);  // no system call: the vDSO reads a page
    coarse_.seconds = static_cast<std::uint16_t>(time.tv_sec);
    milliseconds_ = milliseconds_of(time);
    clock_gettime(CLOCK_REALTIME_COARSE, &time);
    unix_seconds_ = static_cast<std::uint64_t>(time.tv_sec);
  }

  std::uint64_t hertz_;
  std::uint64_t last_;
  std::uint64_t now_;
  CoarseTime coarse_;
  std::uint32_t milliseconds_ = 0;
  std::uint64_t unix_seconds_ = 0;
};

}  // namespace hawser::dataplane
