// Histogram: how long something took, in buckets that grow with the value.
//
// Layout: 8 buckets for each power of two of microseconds, so a value is known to 12.5 %; from 1 us
// to 67 s, longer ones count as that. 208 counters of 8 bytes.
// Threading: one worker writes, anyone reads. Cost: one store.
// Reference: the log-linear layout of HdrHistogram.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "hawser/stats/counter.h"

namespace hawser::stats {

class Histogram {
 public:
  static constexpr std::uint32_t kSteps = 8;  // of one power of two
  static constexpr std::uint32_t kPowers = 26;
  static constexpr std::size_t kBuckets = std::size_t{kSteps} * kPowers;

  void add(std::uint32_t microseconds) noexcept { buckets_[bucket_of(microseconds)].add(1); }

  // Only the owning worker, or while it writes nothing.
  void clear() noexcept {
    for (Counter& bucket : buckets_) bucket.clear();
  }

  [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept {
    return buckets_[bucket].read();
  }

  // Values below kSteps have a bucket each; the last takes all that is above.
  [[nodiscard]] static constexpr std::size_t bucket_of(std::uint32_t value) noexcept {
    if (value < kSteps) return value;
    const auto power = static_cast<std::uint32_t>(std::bit_width(value)) - 1;  // >= 3
    const std::uint32_t step = (value >> (power - 3)) & (kSteps - 1);
    const std::size_t bucket = std::size_t{power - 2} * kSteps + step;
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  // Largest value of a bucket, microseconds.
  [[nodiscard]] static constexpr std::uint64_t upper_bound(std::size_t bucket) noexcept {
    if (bucket < kSteps) return bucket;
    const std::uint64_t power = bucket / kSteps + 2;
    return ((std::uint64_t{kSteps} + bucket % kSteps + 1) << (power - 3)) - 1;
  }

 private:
  std::array<Counter, kBuckets> buckets_;
};

// What `part` of all, 0 to 1, took at most; microseconds. 0 without any. `count_of(bucket)` sums
// over workers.
template <typename CountOf>
[[nodiscard]] std::uint64_t quantile(double part, CountOf&& count_of) {
  std::uint64_t all = 0;
  for (std::size_t b = 0; b < Histogram::kBuckets; ++b) all += count_of(b);
  if (all == 0) return 0;
  const auto rank = static_cast<std::uint64_t>(part * static_cast<double>(all - 1)) + 1;
  std::uint64_t seen = 0;
  for (std::size_t b = 0; b < Histogram::kBuckets; ++b) {
    seen += count_of(b);
    if (seen >= rank) return Histogram::upper_bound(b);
  }
  return Histogram::upper_bound(Histogram::kBuckets - 1);
}

}  // namespace hawser::stats
