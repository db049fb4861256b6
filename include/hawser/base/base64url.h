// base64url without padding: bytes as characters that a cookie or a URL may hold (RFC 4648 section
// 5).
//
// Cost: one table look-up a character. Threading: pure functions. Nothing allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hawser {

// Characters that `bytes` bytes become.
[[nodiscard]] constexpr std::size_t base64url_length(std::size_t bytes) noexcept {
  return (bytes * 8 + 5) / 6;
}

// Writes base64url_length(bytes.size()) characters; `out` is exactly that long.
void encode_base64url(std::span<const std::uint8_t> bytes, std::span<char> out) noexcept;

// Fills `out` from exactly base64url_length(out.size()) characters. False for any other length, a
// character outside the alphabet, or spare bits at the end that are not zero, so that one sequence
// of bytes has one text (RFC 4648 section 3.5); what is in `out` then means nothing.
[[nodiscard]] bool decode_base64url(std::string_view text, std::span<std::uint8_t> out) noexcept;

}  // namespace hawser
