// Idler: what a worker does when there was nothing to do.
#pragma once

#include <rte_pause.h>
#include <rte_rcu_qsbr.h>

#include <algorithm>
#include <ctime>

#include "hawser/base/limits.h"
#include "hawser/model/configuration.h"

namespace hawser::dataplane {

// "poll" spins. "adaptive" spins for limits::kSpinMicroseconds, then sleeps, longer each time up to
// limits::kLongestSleepMicroseconds; the first packet ends that. A sleeping worker is not waited
// for by whoever frees a snapshot. Threading: one worker's own.
class Idler {
 public:
  // `spin`: cycles without packets before the first sleep.
  Idler(model::Idle mode, std::uint64_t spin, rte_rcu_qsbr* readers, unsigned reader) noexcept
      : mode_(mode), spin_(spin), readers_(readers), reader_(reader) {}

  void worked() noexcept { quiet_since_ = 0; }

  // Nothing happened in this turn, at `cycles` of the cycle counter.
  void rest(std::uint64_t cycles) noexcept {
    if (mode_ == model::Idle::kPoll) return;
    if (quiet_since_ == 0) {
      quiet_since_ = cycles;
      sleep_ = limits::kFirstSleepMicroseconds;
    }
    if (cycles - quiet_since_ < spin_) {
      rte_pause();
      return;
    }
    rte_rcu_qsbr_thread_offline(readers_, reader_);
    const timespec time{0, static_cast<long>(sleep_) * 1000};
    nanosleep(&time, nullptr);
    rte_rcu_qsbr_thread_online(readers_, reader_);
    sleep_ = std::min(sleep_ + limits::kFirstSleepMicroseconds, limits::kLongestSleepMicroseconds);
  }

 private:
  model::Idle mode_;
  std::uint64_t spin_;
  rte_rcu_qsbr* readers_;
  unsigned reader_;
  std::uint64_t quiet_since_ = 0;
  std::uint32_t sleep_ = limits::kFirstSleepMicroseconds;
};

}  // namespace hawser::dataplane
