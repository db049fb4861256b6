// How a service's backends come and go: slow start, guards, passive ejection, panic.
//
// hawserd's business alone; the dataplane is told what follows from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hawser/base/result.h"

namespace hawser::model {

// So many of a service's backends, or so many of a hundred; neither is set: no limit.
struct Portion {
  std::uint32_t count = 0;
  std::uint32_t percent = 0;

  [[nodiscard]] constexpr bool is_set() const noexcept { return count != 0 || percent != 0; }
  // As an upper bound: rounded down, but at least one, or nothing could ever be done.
  [[nodiscard]] constexpr std::size_t at_most(std::size_t backends) const noexcept {
    if (percent == 0) return count;
    const std::size_t part = backends * percent / 100;
    return part == 0 ? 1 : part;
  }
  // As a lower bound: rounded up.
  [[nodiscard]] constexpr std::size_t at_least(std::size_t backends) const noexcept {
    return percent == 0 ? count : (backends * percent + 99) / 100;
  }
  friend bool operator==(const Portion&, const Portion&) = default;
};

// What an operator's drain or maintenance must leave standing; --force goes past it.
struct Guards {
  Portion max_draining;                            // draining or in maintenance at once
  Portion min_ready = {.count = 1, .percent = 0};  // that take new flows afterwards
  friend bool operator==(const Guards&, const Guards&) = default;
};

// What becomes of new flows when every backend is unhealthy.
enum class OnPanic : std::uint8_t {
  kRefuse,  // refused, as when there is no backend
  kSpread,  // spread over the unhealthy ones: the checks may be what is wrong
};

// Ejection of backends by what the dataplane sees of them: connections that are refused, not
// answered or reset while they open, and 5xx responses where they are read.
struct Passive {
  bool enabled = true;
  bool server_errors = true;           // 5xx count
  std::uint32_t failures = 5;          // at least so many within the window,
  std::uint32_t failure_percent = 50;  // and so many of a hundred attempts
  std::uint32_t window_seconds = 10;
  std::uint32_t ejection_seconds = 30;     // n times that for the n-th in a row,
  std::uint32_t longest_seconds = 300;     // at most this
  std::uint32_t max_ejected_percent = 10;  // of the service's backends, the new one among them
  friend bool operator==(const Passive&, const Passive&) = default;
};

struct Availability {
  std::uint32_t slow_start_seconds = 0;  // 0: the whole weight at once
  OnPanic on_panic = OnPanic::kRefuse;
  Guards guards;
  Passive passive;
  friend bool operator==(const Availability&, const Availability&) = default;
};

[[nodiscard]] std::string_view to_string(OnPanic choice) noexcept;
[[nodiscard]] Result<OnPanic> parse_on_panic(std::string_view word);

}  // namespace hawser::model
