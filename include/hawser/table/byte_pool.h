// BytePool: buffers of one size, given out by number, for bytes that wait for someone.
//
// Layout: the buffers in one piece of memory; a stack of free numbers. Number 0 is none.
// Threading: one worker owns a pool; another thread may read `used`. Nothing allocates after
// construction.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hawser/base/contract.h"
#include "hawser/stats/counter.h"

namespace hawser::table {

template <std::size_t kSize>
class BytePool {
 public:
  using Number = std::uint16_t;
  static constexpr Number kNone = 0;
  static constexpr std::size_t kBytes = kSize;

  // `memory` belongs to the caller, outlives the pool and has a multiple of kSize bytes.
  explicit BytePool(std::span<std::uint8_t> memory) : memory_(memory) {
    const std::size_t count = memory.size() / kSize;
    HAWSER_REQUIRE(count < UINT16_MAX);
    free_.reserve(count);
    for (std::size_t number = count; number > 0; --number) {
      free_.push_back(static_cast<Number>(number));
    }
  }

  // kNone when all are in use.
  [[nodiscard]] Number take() noexcept {
    if (free_.empty()) return kNone;
    const Number number = free_.back();
    free_.pop_back();
    used_.add(1);
    return number;
  }
  // Without effect for kNone.
  void release(Number number) noexcept {
    if (number == kNone) return;
    free_.push_back(number);
    used_.subtract(1);
  }
  [[nodiscard]] std::span<std::uint8_t, kSize> at(Number number) noexcept {
    return memory_.subspan((number - std::size_t{1}) * kSize).template first<kSize>();
  }
  [[nodiscard]] std::uint64_t used() const noexcept { return used_.read(); }
  [[nodiscard]] std::uint64_t total() const noexcept { return memory_.size() / kSize; }

 private:
  std::span<std::uint8_t> memory_;
  std::vector<Number> free_;
  stats::Counter used_;
};

}  // namespace hawser::table
