// The head as a whole: first line, header lines, and what they come to.
#include "hawser/l7/http_head.h"

#include <algorithm>

#include "http_first_line.h"
#include "http_meaning.h"

namespace hawser::l7 {
namespace {

using enum HttpFault;

// Reads the header line at the cursor, which does not begin with CR, and passes over it.
HeadResult read_header(Cursor& cursor, Header& out) noexcept {
  const std::uint8_t* name = cursor.at;
  // A name and its colon may stand in a value as well: so both searches begin here and need not
  // wait for each other.
  const std::uint8_t* colon = cursor.stop<ByteSet::kToken>();
  const std::uint8_t* stop = cursor.stop<ByteSet::kValue>();
  if (colon == cursor.end || *colon != ':' || colon == name) {
    if (colon == name && is_blank(*colon)) return refused(kObsFold);
    if (colon == name && *colon == ':') return refused(kEmptyHeaderName);
    return wrong_byte(cursor, colon, kBadHeaderName, kNoColon);
  }
  const HeadResult end = read_line_end(cursor, stop, kBadHeaderValue);
  if (end.state != HeadState::kComplete) return end;
  const std::uint8_t* value = colon + 1;
  while (value != stop && is_blank(*value)) ++value;
  while (stop != value && is_blank(stop[-1])) --stop;
  out.name = view(name, colon);
  out.value = view(value, stop);
  return kRead;
}

// Reads from the first header line to behind the empty line.
HeadResult read_headers(Cursor& cursor, MessageHead& out, HeaderMeaning& meaning) noexcept {
  out.line_end = cursor.offset();
  std::uint16_t count = 0;
  while (cursor.at != cursor.end && *cursor.at != '\r') {
    if (count == out.headers.size()) return refused(kTooManyHeaders);
    Header& header = out.headers[count];
    const HeadResult line = read_header(cursor, header);
    if (line.state != HeadState::kComplete) return line;
    const HttpFault fault = read_meaning(header, out.minor, meaning);
    if (fault != kNone) return refused(fault);
    ++count;
  }
  out.header_count = count;
  const HeadResult end = read_line_end(cursor, cursor.at, kBareCr);
  out.length = cursor.offset();
  return end;
}

void conclude(const HeaderMeaning& meaning, MessageHead& out) noexcept {
  out.keep_alive = !meaning.closes && (out.minor == 1 || meaning.keeps);
  // RFC 9110 section 7.8: HTTP/1.0 has no Upgrade.
  out.upgrade = meaning.names_upgrade && meaning.has_upgrade && out.minor == 1;
  out.framing = meaning.has_encoding ? Framing::kChunked
                : meaning.has_length ? Framing::kLength
                                     : Framing::kNone;
  out.content_length = meaning.content_length;
}

bool has_no_body(unsigned status, bool request_was_head, bool is_tunnel) noexcept {
  return request_was_head || is_tunnel || status < 200 || status == 204 || status == 304;
}

// A head that is not complete within the limit never is.
HeadResult within_limit(HeadResult result, std::size_t size) noexcept {
  const bool full = result.state == HeadState::kIncomplete && size >= limits::kMaxHttpHead;
  return full ? refused(kHeadTooLarge) : result;
}

Cursor cursor_over(std::span<const std::uint8_t> bytes) noexcept {
  return {.begin = bytes.data(),
          .at = bytes.data(),
          .end = bytes.data() + std::min(bytes.size(), limits::kMaxHttpHead)};
}

HeadResult read_request(Cursor cursor, RequestHead& out) noexcept {
  if (cursor.at != cursor.end && *cursor.at == '\r') {
    const HeadResult empty_line = read_line_end(cursor, cursor.at, kBareCr);
    if (empty_line.state != HeadState::kComplete) return empty_line;
  }
  HeaderMeaning meaning;
  HeadResult result = read_request_line(cursor, out, meaning.target);
  if (result.state != HeadState::kComplete) return result;
  result = read_headers(cursor, out, meaning);
  if (result.state != HeadState::kComplete) return result;
  if (!meaning.has_host && out.minor == 1) return refused(kNoHost);
  conclude(meaning, out);
  out.host = meaning.target.given ? meaning.target.host : meaning.host.host;
  // RFC 9110 section 10.1.1: from HTTP/1.0 it must be ignored.
  out.expect_continue = meaning.expects_continue && out.minor == 1;
  out.forwarded_for_end = 0;
  if (meaning.forwarded_for_end != nullptr) {
    out.forwarded_for_end = static_cast<std::size_t>(meaning.forwarded_for_end -
                                                     reinterpret_cast<const char*>(cursor.begin));
  }
  return result;
}

HeadResult read_response(Cursor cursor, bool request_was_head, bool request_was_connect,
                         ResponseHead& out) noexcept {
  HeadResult result = read_status_line(cursor, out);
  if (result.state != HeadState::kComplete) return result;
  const bool is_tunnel = request_was_connect && out.status / 100 == 2;
  HeaderMeaning meaning{.is_request = false, .framing_counts = !is_tunnel};
  result = read_headers(cursor, out, meaning);
  if (result.state != HeadState::kComplete) return result;
  conclude(meaning, out);
  if (has_no_body(out.status, request_was_head, is_tunnel)) {
    out.framing = Framing::kNone;
    out.content_length = 0;
  } else if (out.framing == Framing::kNone) {
    out.framing = Framing::kUntilClose;
    out.keep_alive = false;
  }
  return result;
}

constexpr unsigned lower(char c) noexcept {
  return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

const Header* MessageHead::find(std::string_view name) const noexcept {
  for (const Header& header : all()) {
    if (equals_ignoring_case(header.name, name)) return &header;
  }
  return nullptr;
}

HeadResult parse_request_head(std::span<const std::uint8_t> bytes, RequestHead& out) noexcept {
  return within_limit(read_request(cursor_over(bytes), out), bytes.size());
}

HeadResult parse_response_head(std::span<const std::uint8_t> bytes, bool request_was_head,
                               bool request_was_connect, ResponseHead& out) noexcept {
  return within_limit(read_response(cursor_over(bytes), request_was_head, request_was_connect, out),
                      bytes.size());
}

}  // namespace hawser::l7
