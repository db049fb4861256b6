// Choices: what a simulation decides by, from a seed or from the bytes of a fuzzer's input.
#pragma once

#include <cstdint>
#include <span>

namespace hawser::simulation {

class Choices {
 public:
  explicit Choices(std::uint64_t seed) noexcept : state_(seed) {}
  // After the last byte everything is 0 and nothing happens by chance.
  explicit Choices(std::span<const std::uint8_t> input) noexcept : input_(input), reads_(true) {}

  // 0 .. bound - 1; `bound` is at least 1.
  std::uint64_t below(std::uint64_t bound) noexcept {
    if (!reads_) return (random() >> 16) % bound;
    std::uint64_t value = 0;
    for (std::uint64_t left = bound - 1; left != 0; left >>= 8) value = value << 8 | byte();
    return value % bound;
  }
  // first .. last, both included.
  std::uint64_t between(std::uint64_t first, std::uint64_t last) noexcept {
    return first + below(last - first + 1);
  }
  // True in so many of a thousand cases.
  bool permille(std::uint64_t share) noexcept {
    if (!reads_) return below(1000) < share;
    if (share == 0 || input_.empty()) return false;
    return 255U - byte() < share * 256 / 1000 + 1;
  }
  // A seed of something else.
  std::uint64_t seed() noexcept { return reads_ ? below(UINT64_C(1) << 32) : random(); }
  // Nothing more to read.
  [[nodiscard]] bool exhausted() const noexcept { return reads_ && input_.empty(); }

 private:
  // SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
  std::uint64_t random() noexcept {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }
  std::uint8_t byte() noexcept {
    if (input_.empty()) return 0;
    const std::uint8_t first = input_.front();
    input_ = input_.subspan(1);
    return first;
  }

  std::uint64_t state_ = 0;
  std::span<const std::uint8_t> input_;
  bool reads_ = false;
};

}  // namespace hawser::simulation
