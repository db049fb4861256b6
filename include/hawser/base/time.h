// Time as the core sees it: whole seconds handed in by whoever runs the pipeline, never a clock.
//
// Flow entries hold 16 bits of it. Ages are taken modulo 2^16 (18.2 h), which is right as long as
// every entry is swept before its age passes half of that; limits.h bounds timeouts accordingly.
#pragma once

#include <cstdint>

namespace hawser {

// Seconds of a monotonic clock since an arbitrary start, wrapping; the unit of all flow timeouts.
struct CoarseTime {
  std::uint16_t seconds = 0;

  // Seconds passed from `then` to this moment. Sound for ages below 65536 s.
  [[nodiscard]] constexpr std::uint16_t since(CoarseTime then) const noexcept {
    return static_cast<std::uint16_t>(seconds - then.seconds);
  }
  friend constexpr bool operator==(CoarseTime, CoarseTime) = default;
};

}  // namespace hawser
