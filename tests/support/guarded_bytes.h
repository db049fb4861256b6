// GuardedBytes: memory of any size that ends at an unreadable page, so that an over-read crashes.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <span>

#include "hawser/base/contract.h"

namespace hawser::tests {

class GuardedBytes {
 public:
  // Room for `capacity` bytes.
  explicit GuardedBytes(std::size_t capacity)
      : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))),
        size_((capacity / page_ + 1) * page_) {
    void* mapped =
        mmap(nullptr, size_ + page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    HAWSER_REQUIRE(mapped != MAP_FAILED);
    memory_ = static_cast<std::uint8_t*>(mapped);
    HAWSER_REQUIRE(mprotect(memory_ + size_, page_, PROT_NONE) == 0);
  }
  ~GuardedBytes() { munmap(memory_, size_ + page_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  // A copy of `bytes` whose end is the unreadable page's begin. Valid until the next.
  [[nodiscard]] std::span<const std::uint8_t> place(std::span<const std::uint8_t> bytes) {
    HAWSER_REQUIRE(bytes.size() <= size_);
    std::uint8_t* at = memory_ + size_ - bytes.size();
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    return {at, bytes.size()};
  }

 private:
  std::size_t page_;
  std::size_t size_;
  std::uint8_t* memory_ = nullptr;
};

}  // namespace hawser::tests
