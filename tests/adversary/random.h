// Random numbers from a seed, the same on every machine: what the adversary and the peers decide
// by.
#pragma once

#include <cstdint>

namespace hawser::adversary {

// A 64-bit finaliser: close inputs give unrelated outputs.
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t value) noexcept {
  value = (value ^ (value >> 33)) * 0xff51afd7ed558ccdU;
  value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53U;
  return value ^ (value >> 33);
}

// The seed of part `index` of what `seed` stands for.
[[nodiscard]] constexpr std::uint64_t derived(std::uint64_t seed, std::uint64_t index) noexcept {
  return mixed(mixed(seed + 0x9e3779b97f4a7c15U) ^ (index * 0xd1342543de82ef95U + 1));
}

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) noexcept : state_(seed) {}

  constexpr std::uint64_t next() noexcept { return mixed(state_ += 0x9e3779b97f4a7c15U); }

  // 0 .. bound - 1; 0 when `bound` is 0.
  constexpr std::uint64_t below(std::uint64_t bound) noexcept {
    return bound == 0 ? 0 : next() % bound;
  }

  // first .. last, both included.
  constexpr std::uint64_t between(std::uint64_t first, std::uint64_t last) noexcept {
    return first + below(last - first + 1);
  }

  // True with this probability. Always takes one number, so that what follows does not shift.
  constexpr bool chance(double probability) noexcept {
    return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability;
  }

 private:
  std::uint64_t state_;
};

}  // namespace hawser::adversary
