// Supervision: tells systemd that the dataplane forwards, how much, and that no worker hangs.
//
// Ready when every worker has turned once; from then on the watchdog is fed at half its interval,
// as long as each worker has turned since the last time. The main core feeds it, so it stops too
// when that hangs. Without a manager (sd_notify(3)) all this costs nothing.
// Threading: main core only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/worker.h"
#include "hawser/base/strong.h"

namespace hawser::dataplane {

class Supervision {
 public:
  // `workers` must outlive this.
  explicit Supervision(std::span<const std::unique_ptr<Worker>> workers);

  // As often as the main core likes; does something when it is time.
  void turn(Epoch epoch);
  void stopping() const;

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] bool all_turned();
  void feed(Clock::time_point now);
  void tell_status(Clock::time_point now, Epoch epoch);

  std::span<const std::unique_ptr<Worker>> workers_;
  bool listens_ = false;                                  // there is a manager
  std::optional<std::chrono::microseconds> feed_period_;  // half the watchdog's interval
  bool ready_ = false;
  bool hung_ = false;                 // was said already
  std::vector<std::uint64_t> turns_;  // of each worker when it was last looked at
  Clock::time_point next_feed_{};
  Clock::time_point next_status_{};
  Clock::time_point status_at_{};
  std::uint64_t packets_ = 0;  // at status_at_
  std::string status_;         // told last
};

}  // namespace hawser::dataplane
