// Bytes from and to hexadecimal digits.
#include "hawser/base/hex.h"

#include <optional>

namespace hawser {
namespace {

std::optional<unsigned> digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a') + 10U;
  if (digit >= 'A' && digit <= 'F') return static_cast<unsigned>(digit - 'A') + 10U;
  return std::nullopt;
}

}  // namespace

Result<std::size_t> parse_hex(std::string_view text, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!digit_value(text[i])) {
      return fail("character " + std::to_string(i + 1) +
                  " is no hexadecimal digit; write two of 0-9 and a-f for each byte, nothing else");
    }
  }
  if (text.empty()) return fail("hexadecimal digits are missing; write two for each byte");
  if (text.size() % 2 != 0) {
    return fail(std::to_string(text.size()) +
                " hexadecimal digits are no whole number of bytes; write two for each byte");
  }
  if (text.size() / 2 > out.size()) {
    return fail("at most " + std::to_string(2 * out.size()) +
                " hexadecimal digits are expected, not " + std::to_string(text.size()));
  }
  for (std::size_t i = 0; i < text.size(); i += 2) {
    out[i / 2] = static_cast<std::uint8_t>(*digit_value(text[i]) << 4U | *digit_value(text[i + 1]));
  }
  return text.size() / 2;
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0x0fU];
  }
  return text;
}

}  // namespace hawser
