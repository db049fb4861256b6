// The head of an HTTP/1 message: request line or status line and headers, read strictly.
//
// Reads only what routing and framing need; everything else stays as it is. Views point into the
// bytes handed in. Source: RFC 9110, RFC 9112; what those leave open is refused (http_fault.h).
// Threading: pure functions. Nothing allocates.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "hawser/base/limits.h"
#include "hawser/l7/http_fault.h"

namespace hawser::l7 {

struct Header {
  std::string_view name;   // as sent; compare without regard to case
  std::string_view value;  // without blanks around it; may be empty
};

// How the bytes behind the head are delimited.
enum class Framing : std::uint8_t {
  kNone,        // no body
  kLength,      // Content-Length bytes
  kChunked,     // RFC 9112 section 7.1
  kUntilClose,  // responses only
};

enum class HeadState : std::uint8_t { kIncomplete, kComplete, kRefused };

struct HeadResult {
  HeadState state = HeadState::kIncomplete;
  HttpFault fault = HttpFault::kNone;  // with kRefused
};

// What both kinds of head have.
struct MessageHead {
  std::size_t length = 0;    // bytes of the head with the empty line that ends it
  std::size_t line_end = 0;  // behind the first line's CRLF: a header may be put here
  std::uint8_t minor = 1;    // HTTP/1.x
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;  // with kLength
  bool keep_alive = true;            // by version and Connection; not with kUntilClose
  bool upgrade = false;              // Connection: upgrade and an Upgrade header; not on HTTP/1.0
  std::uint16_t header_count = 0;
  std::array<Header, limits::kMaxHttpHeaders> headers;

  [[nodiscard]] std::span<const Header> all() const noexcept {
    return {headers.data(), header_count};
  }
  // The first header of that name, without regard to case; null when there is none.
  [[nodiscard]] const Header* find(std::string_view name) const noexcept;
};

struct RequestHead : MessageHead {
  std::string_view method;
  std::string_view target;  // as sent
  // Without query. "*" or empty for other forms than origin and absolute. Of an absolute target
  // without path what RFC 9110 section 4.2.3 makes of it: "/", or "*" for OPTIONS; these alone do
  // not point into the bytes.
  std::string_view path;
  std::string_view query;  // behind the first "?"; may be empty
  // Without port, an IPv6 address with its brackets, as sent: of an absolute target or of that of
  // CONNECT, else of Host. Empty: HTTP/1.0 without Host.
  std::string_view host;
  bool is_head = false;     // the method: its response has no body
  bool is_connect = false;  // the connection becomes a tunnel
  bool expect_continue = false;
  // Behind the value of the last X-Forwarded-For line, from the first byte; 0: there is none.
  std::size_t forwarded_for_end = 0;
};

struct ResponseHead : MessageHead {
  std::uint16_t status = 0;
};

// Without regard to case, ASCII only.
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

// Reads the head at the start of `bytes`. kIncomplete: more bytes are needed, and nothing is wrong
// with those that are there; a fault in an incomplete head is told as soon as it can be seen. One
// empty line (CRLF) before a request line is allowed and belongs to the head (RFC 9112
// section 2.2). `out` is complete with kComplete only.
[[nodiscard]] HeadResult parse_request_head(std::span<const std::uint8_t> bytes,
                                            RequestHead& out) noexcept;

// The same for a response to a request with these properties: without body for HEAD, 1xx, 204, 304
// (RFC 9112 section 6.3). A response with 101, and one with 2xx to CONNECT, is followed by a
// tunnel: framing kNone.
[[nodiscard]] HeadResult parse_response_head(std::span<const std::uint8_t> bytes,
                                             bool request_was_head, bool request_was_connect,
                                             ResponseHead& out) noexcept;

// Calls `visit(name, value)` for each cookie of a Cookie header's value (RFC 6265 section 4.2.1),
// leniently: blanks around are cut, pairs without "=" are skipped, quotes around a value are kept.
template <typename Visit>
void for_each_cookie(std::string_view header_value, Visit&& visit) {
  while (!header_value.empty()) {
    const std::size_t end = header_value.find(';');
    std::string_view pair = header_value.substr(0, end);
    header_value =
        end == std::string_view::npos ? std::string_view{} : header_value.substr(end + 1);
    while (!pair.empty() && (pair.front() == ' ' || pair.front() == '\t')) pair.remove_prefix(1);
    while (!pair.empty() && (pair.back() == ' ' || pair.back() == '\t')) pair.remove_suffix(1);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos) visit(pair.substr(0, equals), pair.substr(equals + 1));
  }
}

}  // namespace hawser::l7
