// HugeMemory: zeroed memory in huge pages, so that a benchmark pays for caches and not for the TLB.
//
// Without reserved pages it falls back to what the kernel gives on advice, and says so once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hawser::bench {

class HugeMemory {
 public:
  // Every page is touched. Throws std::runtime_error when the machine has not that much.
  explicit HugeMemory(std::size_t bytes);
  ~HugeMemory();
  HugeMemory(const HugeMemory&) = delete;
  HugeMemory& operator=(const HugeMemory&) = delete;

  // The memory as `count` objects of T, which must be valid when zeroed.
  template <typename T>
  [[nodiscard]] std::span<T> as(std::size_t count) const noexcept {
    return {static_cast<T*>(address_), count};
  }

  // False as soon as one piece of memory did not get reserved pages.
  [[nodiscard]] static bool all_huge() noexcept;

 private:
  void* address_ = nullptr;
  std::size_t bytes_ = 0;
};

// HugeMemory for `count` objects of one type.
template <typename T>
class HugeArray {
 public:
  explicit HugeArray(std::size_t count) : memory_(count * sizeof(T)), count_(count) {}
  [[nodiscard]] std::span<T> span() const noexcept { return memory_.as<T>(count_); }
  [[nodiscard]] T& operator[](std::size_t index) const noexcept { return span()[index]; }

 private:
  HugeMemory memory_;
  std::size_t count_;
};

}  // namespace hawser::bench
