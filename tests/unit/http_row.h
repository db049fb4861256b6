// What the rows of the HTTP/1 tables are made of: a sentence, the bytes, the exact verdict.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hawser/l7/http_head.h"

namespace hawser::l7::rows {

using namespace std::string_literals;  // for heads with a zero byte
using enum HttpFault;
inline constexpr Framing kNothing = Framing::kNone;
inline constexpr Framing kLength = Framing::kLength;
inline constexpr Framing kChunked = Framing::kChunked;

// The verdict about a request, as of "GET / HTTP/1.1" with "Host: h" and nothing else.
struct Wanted {
  HeadState state = HeadState::kComplete;
  HttpFault fault = HttpFault::kNone;
  std::string_view method = "GET";
  std::string_view target = "/";
  std::string_view path = "/";
  std::string_view query = "";
  std::string_view host = "h";
  std::uint8_t minor = 1;
  Framing framing = Framing::kNone;
  std::uint64_t length = 0;  // Content-Length
  bool keep_alive = true;
  bool upgrade = false;
  bool expect_continue = false;
  std::size_t headers = 1;
  std::size_t forwarded_for_end = 0;
  std::size_t behind = 0;  // bytes behind the head
};

struct RequestRow {
  const char* title;
  std::string bytes;
  Wanted wanted;
};

struct ResponseWanted {
  HeadState state = HeadState::kComplete;
  HttpFault fault = HttpFault::kNone;
  std::uint16_t status = 200;
  std::uint8_t minor = 1;
  Framing framing = Framing::kUntilClose;
  std::uint64_t length = 0;
  bool keep_alive = false;  // as it goes with kUntilClose
  bool upgrade = false;
  std::size_t headers = 0;
};

enum class After : std::uint8_t { kGet, kHead, kConnect };

struct ResponseRow {
  const char* title;
  std::string bytes;
  ResponseWanted wanted;
  After after = After::kGet;
};

inline Wanted refused(HttpFault fault) {
  return {.state = HeadState::kRefused, .fault = fault};
}

inline Wanted incomplete() {
  return {.state = HeadState::kIncomplete};
}

inline ResponseWanted refused_response(HttpFault fault) {
  return {.state = HeadState::kRefused, .fault = fault};
}

inline ResponseWanted incomplete_response() {
  return {.state = HeadState::kIncomplete};
}

// A request with these header lines after its Host.
inline std::string get(std::string_view lines) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n";
}

// A request with this first line, and Host.
inline std::string line(std::string_view first) {
  return std::string(first) + "\r\nHost: h\r\n\r\n";
}

inline std::string repeated(std::size_t count, std::string_view text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

// A request of exactly `size` bytes.
inline std::string sized(std::size_t size) {
  const std::string rest = get("Filler: \r\n");
  return get("Filler: " + std::string(size - rest.size(), 'x') + "\r\n");
}

}  // namespace hawser::l7::rows
