// Reader: bounds-checked reading of bytes that came from outside.
//
// Cost: one comparison a read. Threading: a value type, no shared state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace hawser {

class Reader {
 public:
  constexpr explicit Reader(std::span<const std::uint8_t> bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] constexpr std::size_t remaining() const noexcept { return bytes_.size(); }
  [[nodiscard]] constexpr std::span<const std::uint8_t> rest() const noexcept { return bytes_; }

  // Copies the next sizeof(T) bytes into `out` and moves past them. False, and nothing moved, when
  // fewer are left.
  template <typename T>
  [[nodiscard]] bool read(T& out) noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    if (bytes_.size() < sizeof(T)) return false;
    std::memcpy(&out, bytes_.data(), sizeof(T));
    bytes_ = bytes_.subspan(sizeof(T));
    return true;
  }

  // Like read, without moving.
  template <typename T>
  [[nodiscard]] bool peek(T& out) const noexcept {
    Reader copy = *this;
    return copy.read(out);
  }

  // Takes the next `count` bytes; false, and nothing moved, when fewer are left.
  [[nodiscard]] constexpr bool take(std::size_t count,
                                    std::span<const std::uint8_t>& out) noexcept {
    if (bytes_.size() < count) return false;
    out = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return true;
  }

  [[nodiscard]] constexpr bool skip(std::size_t count) noexcept {
    std::span<const std::uint8_t> ignored;
    return take(count, ignored);
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

// Reads or writes a wire struct at `at`, whose bounds the caller has already checked.
template <typename T>
[[nodiscard]] inline T load(const std::uint8_t* at) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

template <typename T>
inline void store(std::uint8_t* at, const T& value) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  std::memcpy(at, &value, sizeof(T));
}

}  // namespace hawser
