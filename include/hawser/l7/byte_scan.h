// Which bytes may stand where in an HTTP/1 head, and the search for the first that may not.
//
// Three sets: characters of a token (RFC 9110 section 5.6.2), of a request target (RFC 3986 section
// 2, without the "#" that no target has, and with the printable ones that browsers leave as they
// are), of a field value (RFC 9110 section 5.5). Cost: 32 bytes a step with AVX2; without it a
// table is asked for each byte. Threading: pure functions.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace hawser::l7 {

enum class ByteSet : std::uint8_t { kToken, kTarget, kValue };

[[nodiscard]] constexpr bool is_alphanumeric(std::uint8_t byte) noexcept {
  return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= 'a' && byte <= 'z');
}

// The definition of the sets.
[[nodiscard]] constexpr bool is_in(ByteSet set, std::uint8_t byte) noexcept {
  switch (set) {
    case ByteSet::kToken:
      for (const char mark :
           {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) {
        if (byte == static_cast<std::uint8_t>(mark)) return true;
      }
      return is_alphanumeric(byte);
    case ByteSet::kTarget:
      return byte > 0x20 && byte < 0x7f && byte != '#';
    case ByteSet::kValue:
      return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  }
  return false;
}

template <ByteSet kSet>
inline constexpr std::array<bool, 256> kByteTable = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = is_in(kSet, static_cast<std::uint8_t>(i));
  }
  return table;
}();

// The first byte from `at` on that is not in the set; `end` when there is none. What the other one
// is measured against.
template <ByteSet kSet>
[[nodiscard]] inline const std::uint8_t* find_outside_bytewise(const std::uint8_t* at,
                                                               const std::uint8_t* end) noexcept {
  while (at != end && kByteTable<kSet>[*at]) ++at;
  return at;
}

#ifdef __AVX2__
namespace detail {

// Tokens by nibbles: entry i has the bit h set when the byte with the halves h and i is one.
inline constexpr std::array<std::uint8_t, 16> kTokenRows = [] {
  std::array<std::uint8_t, 16> rows{};
  for (unsigned byte = 0; byte < 0x80; ++byte) {
    if (!is_in(ByteSet::kToken, static_cast<std::uint8_t>(byte))) continue;
    rows[byte & 0xf] = static_cast<std::uint8_t>(rows[byte & 0xf] | 1U << (byte >> 4));
  }
  return rows;
}();
inline constexpr std::array<std::uint8_t, 16> kRowBits{1, 2, 4, 8, 16, 32, 64, 128};

[[nodiscard]] inline __m256i both_lanes(const std::array<std::uint8_t, 16>& table) noexcept {
  return _mm256_broadcastsi128_si256(
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data())));
}

// 0xff in each byte that is not in the set.
template <ByteSet kSet>
[[nodiscard]] inline __m256i outside(__m256i bytes) noexcept {
  const __m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));
  if constexpr (kSet == ByteSet::kToken) {
    // The shuffle yields zero for bytes from 0x80 on, and zero is in no row.
    const __m256i row = _mm256_shuffle_epi8(both_lanes(kTokenRows), bytes);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0xf));
    const __m256i bit = _mm256_shuffle_epi8(both_lanes(kRowBits), high);
    return _mm256_cmpeq_epi8(_mm256_and_si256(row, bit), _mm256_setzero_si256());
  } else if constexpr (kSet == ByteSet::kTarget) {
    // Bytes from 0x80 on are negative.
    const __m256i below = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x21), bytes);
    const __m256i mark = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('#'));
    return _mm256_or_si256(below, _mm256_or_si256(del, mark));
  } else {
    // Saturating: nothing is left of a control character.
    const __m256i control =
        _mm256_cmpeq_epi8(_mm256_subs_epu8(bytes, _mm256_set1_epi8(0x1f)), _mm256_setzero_si256());
    const __m256i tab = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\t'));
    return _mm256_or_si256(_mm256_andnot_si256(tab, control), del);
  }
}

// Bit i: the byte at[i] is outside. Reads 32 bytes.
template <ByteSet kSet>
[[nodiscard]] inline std::uint32_t outside_mask(const std::uint8_t* at) noexcept {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(outside<kSet>(bytes)));
}

}  // namespace detail
#endif

// The same, faster. All bytes from `begin` to `end` may be read, and `at` lies between them.
template <ByteSet kSet>
[[nodiscard]] inline const std::uint8_t* find_outside([[maybe_unused]] const std::uint8_t* begin,
                                                      const std::uint8_t* at,
                                                      const std::uint8_t* end) noexcept {
#ifdef __AVX2__
  constexpr std::ptrdiff_t kStep = 32;
  while (end - at >= kStep) {
    const std::uint32_t mask = detail::outside_mask<kSet>(at);
    if (mask != 0) return at + std::countr_zero(mask);
    at += kStep;
  }
  if (at == end) return end;
  if (end - begin >= kStep) {
    // The last 32 bytes, less those before `at`: nothing beyond the end is read.
    const std::uint32_t mask =
        detail::outside_mask<kSet>(end - kStep) >> static_cast<unsigned>(kStep - (end - at));
    return mask != 0 ? at + std::countr_zero(mask) : end;
  }
#endif
  return find_outside_bytewise<kSet>(at, end);
}

}  // namespace hawser::l7
