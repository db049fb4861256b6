// Sequence: a TCP sequence number, compared and added modulo 2^32 (RFC 9293 section 3.4).
//
// Of two numbers less than 2^31 apart the one that comes later is the greater, also across the
// wrap. This is no order of all numbers: it must not sort them or key a map. Two that lie exactly
// 2^31 apart, which no window allows (RFC 7323 section 2.3), are each less than the other.
#pragma once

#include <cstdint>
#include <type_traits>

namespace hawser::l4 {

struct Sequence {
  std::uint32_t value = 0;

  // Moves by so many bytes; a step back is the two's complement of it.
  friend constexpr Sequence operator+(Sequence from, std::uint32_t bytes) noexcept {
    return {from.value + bytes};
  }
  friend constexpr Sequence operator-(Sequence from, std::uint32_t bytes) noexcept {
    return {from.value - bytes};
  }
  constexpr Sequence& operator+=(std::uint32_t bytes) noexcept { return *this = *this + bytes; }
  constexpr Sequence& operator-=(std::uint32_t bytes) noexcept { return *this = *this - bytes; }

  // Bytes from `from` to `to`, modulo 2^32.
  friend constexpr std::uint32_t operator-(Sequence to, Sequence from) noexcept {
    return to.value - from.value;
  }

  friend constexpr bool operator==(Sequence, Sequence) noexcept = default;
  friend constexpr bool operator<(Sequence a, Sequence b) noexcept { return signed_step(b, a) < 0; }
  friend constexpr bool operator<=(Sequence a, Sequence b) noexcept {
    return signed_step(b, a) <= 0;
  }
  friend constexpr bool operator>(Sequence a, Sequence b) noexcept { return b < a; }
  friend constexpr bool operator>=(Sequence a, Sequence b) noexcept { return b <= a; }

 private:
  static constexpr std::int32_t signed_step(Sequence from, Sequence to) noexcept {
    return static_cast<std::int32_t>(to - from);
  }
};

static_assert(sizeof(Sequence) == 4 && std::is_trivially_copyable_v<Sequence>);
static_assert(!std::is_convertible_v<Sequence, std::uint32_t>);
static_assert(!std::is_convertible_v<std::uint32_t, Sequence>);
static_assert(!std::is_constructible_v<bool, Sequence>);
static_assert(Sequence{0xffffffff} < Sequence{0} && Sequence{0} - Sequence{0xffffffff} == 1);

}  // namespace hawser::l4
