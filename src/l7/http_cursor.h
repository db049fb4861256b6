// A place in the bytes of a head, and the verdict about a byte that must not stand there.
//
// Heads are read from left to right and the first wrong byte decides: so a fault is told as soon
// as its byte is there, and is the same however the head came in pieces.
#pragma once

#include <cstdint>
#include <string_view>

#include "hawser/l7/byte_scan.h"
#include "hawser/l7/http_head.h"

namespace hawser::l7 {

struct Cursor {
  const std::uint8_t* begin;
  const std::uint8_t* at;
  const std::uint8_t* end;

  template <ByteSet kSet>
  [[nodiscard]] const std::uint8_t* stop() const noexcept {
    return find_outside<kSet>(begin, at, end);
  }
  [[nodiscard]] std::size_t offset() const noexcept { return static_cast<std::size_t>(at - begin); }
};

[[nodiscard]] inline std::string_view view(const std::uint8_t* from,
                                           const std::uint8_t* to) noexcept {
  return {reinterpret_cast<const char*>(from), static_cast<std::size_t>(to - from)};
}

inline constexpr HeadResult kMoreNeeded{HeadState::kIncomplete, HttpFault::kNone};
inline constexpr HeadResult kRead{HeadState::kComplete, HttpFault::kNone};

[[nodiscard]] constexpr HeadResult refused(HttpFault fault) noexcept {
  return {HeadState::kRefused, fault};
}

[[nodiscard]] constexpr bool is_blank(std::uint8_t byte) noexcept {
  return byte == ' ' || byte == '\t';
}

// What is wrong with the byte at `at`, or that it is not there yet: `at_line_end` for the CRLF of a
// line that ends too early, `otherwise` for a byte that has no fault of its own.
[[nodiscard]] inline HeadResult wrong_byte(const Cursor& cursor, const std::uint8_t* at,
                                           HttpFault otherwise, HttpFault at_line_end) noexcept {
  if (at == cursor.end) return kMoreNeeded;
  switch (*at) {
    case '\0':
      return refused(HttpFault::kNul);
    case '\n':
      return refused(HttpFault::kBareLf);
    case '\r':
      if (at + 1 == cursor.end) return kMoreNeeded;
      return refused(at[1] == '\n' ? at_line_end : HttpFault::kBareCr);
    default:
      return refused(otherwise);
  }
}

// Passes over the CRLF that must stand at `at`; `otherwise` for other bytes than CR and LF.
[[nodiscard]] inline HeadResult read_line_end(Cursor& cursor, const std::uint8_t* at,
                                              HttpFault otherwise) noexcept {
  if (cursor.end - at >= 2 && at[0] == '\r' && at[1] == '\n') {
    cursor.at = at + 2;
    return kRead;
  }
  return wrong_byte(cursor, at, otherwise, otherwise);
}

}  // namespace hawser::l7
