// Big<T>: an integer in network byte order, as a type. Arithmetic happens on host values only.
#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <type_traits>

namespace hawser::net {

static_assert(std::endian::native == std::endian::little, "Hawser is written for little endian");

template <typename T>
[[nodiscard]] constexpr T byte_swap(T v) noexcept {
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(v);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(v);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(v);
}

template <typename T>
class Big {
 public:
  constexpr Big() noexcept = default;
  constexpr explicit Big(T host) noexcept : raw_(byte_swap(host)) {}

  // The value as a number.
  [[nodiscard]] constexpr T host() const noexcept { return byte_swap(raw_); }
  // The bytes as they lie on the wire, for hashing, checksums and equality.
  [[nodiscard]] constexpr T raw() const noexcept { return raw_; }
  [[nodiscard]] static constexpr Big from_raw(T raw) noexcept {
    Big big;
    big.raw_ = raw;
    return big;
  }

  friend constexpr bool operator==(Big, Big) = default;
  friend constexpr auto operator<=>(Big a, Big b) { return a.host() <=> b.host(); }

 private:
  T raw_{};
};

using Big16 = Big<std::uint16_t>;
using Big32 = Big<std::uint32_t>;
using Big64 = Big<std::uint64_t>;

static_assert(sizeof(Big16) == 2 && sizeof(Big32) == 4 && sizeof(Big64) == 8);
static_assert(std::is_trivially_copyable_v<Big32>);
static_assert(!std::is_convertible_v<Big16, std::uint16_t>);
static_assert(!std::is_convertible_v<std::uint16_t, Big16>);
static_assert(Big16(0x1234).raw() == 0x3412);

}  // namespace hawser::net
