// Random: the same numbers from the same seed, with every compiler.
#pragma once

#include <cstdint>
#include <span>

namespace hawser::property {

// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014). The
// distributions of the standard library differ between implementations, so none is used.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }
  // 0..bound-1; `bound` is at least 1.
  std::uint32_t below(std::size_t bound) noexcept {
    return static_cast<std::uint32_t>((next() >> 32) * bound >> 32);
  }
  // low..high, both included.
  std::uint32_t between(std::uint32_t low, std::uint32_t high) noexcept {
    return low + below(std::size_t{high} - low + 1);
  }
  // True in so many of a thousand cases.
  bool permille(std::uint32_t share) noexcept { return below(1000) < share; }

  template <typename Container>
  const auto& one_of(const Container& container) noexcept {
    return container[below(container.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace hawser::property
