// Bytes that both ends know: any part of a body follows from its seed and its offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

namespace hawser::adversary {

// What a peer throws when something is not as it must be. The text says what and where.
class Wrong : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Writes the bytes of `seed` from `offset` on.
void fill_content(std::uint64_t seed, std::uint64_t offset, std::span<std::uint8_t> out);

// The hash of the first `length` bytes of `seed`.
[[nodiscard]] std::uint64_t content_hash(std::uint64_t seed, std::uint64_t length);

// Compares a stream of bytes with what it must be, and hashes it as it came.
class ContentCheck {
 public:
  ContentCheck(std::string what, std::uint64_t seed, std::uint64_t length);

  // Throws Wrong with the offset of the first byte that differs or is too much.
  void take(std::span<const std::uint8_t> bytes);
  // Throws Wrong when bytes are missing.
  void end() const;

  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  [[nodiscard]] bool complete() const noexcept { return position_ == length_; }
  [[nodiscard]] std::uint64_t hash() const { return XXH3_64bits_digest(&state_); }

 private:
  std::string what_;
  std::uint64_t seed_;
  std::uint64_t length_;
  std::uint64_t position_ = 0;
  XXH3_state_t state_{};
};

[[nodiscard]] std::string hex(std::uint64_t value);
// Sixteen hexadecimal digits or fewer; throws Wrong.
[[nodiscard]] std::uint64_t from_hex(const std::string& text);

}  // namespace hawser::adversary
