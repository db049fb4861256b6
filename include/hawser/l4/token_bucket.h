// Token bucket: lets events pass at a steady rate, and a burst of them at once.
//
// A bucket holds what is missing from full, in thousandths of an event: at n events a second,
// exactly n thousandths come back each millisecond. Nothing is rounded, so over any time t no more
// than burst + n * t events pass, and however often it is asked, no fraction is lost. Zeroed memory
// is a full bucket.
//
// The clock is 32 bits of milliseconds and may wrap. A bucket that nobody asked for more than
// 2^32 ms (49.7 days) gets back too little, never too much. The clock must not step back.
//
// Threading: one worker owns a bucket. Cost: one multiplication, no division.
// Reference: RFC 2697 section 3, with one colour and a bucket counted from the top.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "hawser/base/limits.h"

namespace hawser::l4 {

// Events a second, and events at once after a pause. per_second 0: no limit. A burst of 0 counts as
// 1, or nothing would ever pass; one above kMaxRateBurst counts as that (limits.h).
struct Rate {
  std::uint32_t per_second = 0;
  std::uint32_t burst = 0;
  friend bool operator==(const Rate&, const Rate&) = default;
};

class TokenBucket {
 public:
  // True, and one event less left, when an event may pass now. `now_ms`: a monotonic clock.
  [[nodiscard]] bool take(const Rate& rate, std::uint32_t now_ms) noexcept {
    if (rate.per_second == 0) return true;
    const std::uint32_t capacity = std::clamp(rate.burst, 1U, limits::kMaxRateBurst) * kThousandths;
    // A smaller burst than before must not leave a shortage that it could not have caused.
    missing_ = std::min(missing(rate.per_second, now_ms), capacity);
    refilled_ms_ = now_ms;
    if (missing_ > capacity - kThousandths) return false;
    missing_ += kThousandths;
    return true;
  }

  // Thousandths of an event missing from full at `now_ms`.
  [[nodiscard]] std::uint32_t missing(std::uint32_t per_second,
                                      std::uint32_t now_ms) const noexcept {
    const std::uint64_t back = std::uint64_t{now_ms - refilled_ms_} * per_second;
    return back < missing_ ? static_cast<std::uint32_t>(missing_ - back) : 0;
  }

 private:
  static constexpr std::uint32_t kThousandths = 1000;  // of an event; a millisecond of a second

  std::uint32_t missing_ = 0;
  std::uint32_t refilled_ms_ = 0;
};
static_assert(sizeof(TokenBucket) == 8 && std::is_trivially_copyable_v<TokenBucket>);

}  // namespace hawser::l4
