// Bytes to and from base64url.
#include "hawser/base/base64url.h"

#include <array>

#include "hawser/base/contract.h"

namespace hawser {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static_assert(kAlphabet.size() == 64);

// A value that no six bits have: one bit above them tells that some character was wrong.
constexpr std::uint8_t kNone = 0x80;

constexpr std::array<std::uint8_t, 256> values() noexcept {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNone);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}
constexpr auto kValues = values();

std::uint32_t value_of(char character) noexcept {
  return kValues[static_cast<unsigned char>(character)];
}

}  // namespace

void encode_base64url(std::span<const std::uint8_t> bytes, std::span<char> out) noexcept {
  HAWSER_ASSERT(out.size() == base64url_length(bytes.size()));
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t at = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8U | byte;
    for (held += 8; held >= 6; held -= 6) out[at++] = kAlphabet[bits >> (held - 6) & 0x3fU];
  }
  if (held > 0) out[at] = kAlphabet[bits << (6 - held) & 0x3fU];
}

bool decode_base64url(std::string_view text, std::span<std::uint8_t> out) noexcept {
  if (text.size() != base64url_length(out.size())) return false;
  std::uint32_t wrong = 0;
  std::size_t from = 0;
  std::size_t to = 0;
  for (; to + 3 <= out.size(); to += 3, from += 4) {
    const std::uint32_t a = value_of(text[from]);
    const std::uint32_t b = value_of(text[from + 1]);
    const std::uint32_t c = value_of(text[from + 2]);
    const std::uint32_t d = value_of(text[from + 3]);
    wrong |= a | b | c | d;
    const std::uint32_t bits = a << 18U | b << 12U | c << 6U | d;
    out[to] = static_cast<std::uint8_t>(bits >> 16U);
    out[to + 1] = static_cast<std::uint8_t>(bits >> 8U);
    out[to + 2] = static_cast<std::uint8_t>(bits);
  }
  // One or two bytes are left over, in two or three characters whose spare bits come last.
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (; from < text.size(); ++from) {
    const std::uint32_t value = value_of(text[from]);
    wrong |= value;
    bits = bits << 6U | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out[to++] = static_cast<std::uint8_t>(bits >> held);
  }
  const std::uint32_t spare = bits & ((1U << held) - 1);
  return (wrong & kNone) == 0 && spare == 0;
}

}  // namespace hawser
