// Generates and compares the bytes of bodies, eight at a time.
#include "peer/content.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "random.h"

namespace hawser::adversary {
namespace {

constexpr std::size_t kBlock = 4096;  // bytes compared at once

}  // namespace

void fill_content(std::uint64_t seed, std::uint64_t offset, std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::uint64_t at = offset + done;
    const std::uint64_t word = mixed(seed + (at / 8) * 0x9e3779b97f4a7c15U);
    std::array<std::uint8_t, 8> bytes{};
    std::memcpy(bytes.data(), &word, 8);
    const std::size_t skip = at % 8;
    const std::size_t count = std::min(out.size() - done, 8 - skip);
    std::memcpy(out.data() + done, bytes.data() + skip, count);
    done += count;
  }
}

std::uint64_t content_hash(std::uint64_t seed, std::uint64_t length) {
  XXH3_state_t state{};
  XXH3_64bits_reset(&state);
  std::array<std::uint8_t, kBlock> block{};
  for (std::uint64_t at = 0; at < length; at += kBlock) {
    const std::span<std::uint8_t> part(block.data(), std::min<std::uint64_t>(kBlock, length - at));
    fill_content(seed, at, part);
    XXH3_64bits_update(&state, part.data(), part.size());
  }
  return XXH3_64bits_digest(&state);
}

ContentCheck::ContentCheck(std::string what, std::uint64_t seed, std::uint64_t length)
    : what_(std::move(what)), seed_(seed), length_(length) {
  XXH3_64bits_reset(&state_);
}

void ContentCheck::take(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > length_ - position_) {
    throw Wrong(what_ + ": longer than its " + std::to_string(length_) + " bytes");
  }
  XXH3_64bits_update(&state_, bytes.data(), bytes.size());
  std::array<std::uint8_t, kBlock> block{};
  while (!bytes.empty()) {
    const std::span<std::uint8_t> part(block.data(), std::min(kBlock, bytes.size()));
    fill_content(seed_, position_, part);
    const auto different = std::mismatch(part.begin(), part.end(), bytes.begin());
    if (different.first != part.end()) {
      const auto at = static_cast<std::uint64_t>(different.first - part.begin());
      throw Wrong(what_ + ": byte " + std::to_string(position_ + at) + " of " +
                  std::to_string(length_) + " is " + std::to_string(*different.second) +
                  " instead of " + std::to_string(*different.first));
    }
    bytes = bytes.subspan(part.size());
    position_ += part.size();
  }
}

void ContentCheck::end() const {
  if (position_ != length_) {
    throw Wrong(what_ + ": ended after " + std::to_string(position_) + " of " +
                std::to_string(length_) + " bytes");
  }
}

std::string hex(std::uint64_t value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return {digits.data(), end.ptr};
}

std::uint64_t from_hex(const std::string& text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, 16);
  if (error != std::errc{} || at != end) throw Wrong("\"" + text + "\" is no hexadecimal number");
  return value;
}

}  // namespace hawser::adversary
