// Bytes written as hexadecimal digits: keys and server ids in configurations and on command lines.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "hawser/base/result.h"

namespace hawser {

// Reads two digits a byte, upper or lower case, without prefix and separators, into the front of
// `out`. Returns how many bytes that were. Refused: no digits, an odd count, more than `out` holds,
// anything else than digits. The error names a position and never quotes the text, which may be a
// secret.
[[nodiscard]] Result<std::size_t> parse_hex(std::string_view text, std::span<std::uint8_t> out);

// Like parse_hex for exactly N bytes.
template <std::size_t N>
[[nodiscard]] Result<std::array<std::uint8_t, N>> parse_hex_exactly(std::string_view text) {
  std::array<std::uint8_t, N> bytes{};
  const Result<std::size_t> length = parse_hex(text, bytes);
  if (!length) return length.error();
  if (*length != N) {
    return fail(std::to_string(2 * N) + " hexadecimal digits are expected, not " +
                std::to_string(text.size()));
  }
  return bytes;
}

// Two lower-case digits a byte.
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);

}  // namespace hawser
