// Mapping: zeroed memory for tables, in huge pages when some are free.
//
// Pages are taken when first written: the thread that touches them first decides on which NUMA node
// they lie. Threading: a value; the memory itself belongs to whoever owns the Mapping.
#pragma once

#include <cstddef>
#include <span>

#include "hawser/base/result.h"

namespace hawser::dataplane {

enum class Pages : unsigned char {
  kHugeIfFree,  // for what is used whole
  kSmall,       // for what is mostly never touched
};

class Mapping {
 public:
  Mapping() = default;
  ~Mapping();
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  // At least `bytes`; fails only when the machine has not that much.
  [[nodiscard]] static Result<Mapping> create(std::size_t bytes, Pages pages);

  // Writes one byte of each page, so that no packet waits for a page later.
  void touch() noexcept;

  // The memory as `count` objects of T, which must be valid when zeroed.
  template <typename T>
  [[nodiscard]] std::span<T> as(std::size_t count) const noexcept {
    return {static_cast<T*>(address_), count};
  }
  [[nodiscard]] bool in_huge_pages() const noexcept { return huge_; }

 private:
  void* address_ = nullptr;
  std::size_t bytes_ = 0;
  bool huge_ = false;
};

}  // namespace hawser::dataplane
