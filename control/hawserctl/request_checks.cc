// Checks the pieces of a request, and texts.
#include "request_checks.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace hawser::ctl {
namespace {

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_token_character(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         kMarks.find(c) != std::string_view::npos;
}

// `what` it is stands in the words.
Fault check_token(std::string_view token, std::string_view what) {
  if (token.empty()) return fmt::format("has no {}", what);
  const auto bad = std::find_if_not(token.begin(), token.end(), is_token_character);
  if (bad == token.end()) return std::nullopt;
  return fmt::format("has '{}' at byte {}, which a {} cannot have", *bad, bad - token.begin() + 1,
                     what);
}

Fault check_no_blank(std::string_view text) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  return fmt::format("has a blank at byte {}", blank + 1);
}

// Bytes of the character at the beginning of `text`; 0: it is none (RFC 3629 section 4).
std::size_t character_length(std::string_view text) {
  const auto lies_in = [text](std::size_t at, unsigned low, unsigned high) {
    const unsigned byte = at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
    return byte >= low && byte <= high;
  };
  if (lies_in(0, 0, 0x7f)) return 1;
  std::size_t size = 2;
  unsigned low = 0x80;
  unsigned high = 0xbf;
  if (lies_in(0, 0xe0, 0xef)) {
    size = 3;
    if (lies_in(0, 0xe0, 0xe0)) low = 0xa0;
    if (lies_in(0, 0xed, 0xed)) high = 0x9f;
  } else if (lies_in(0, 0xf0, 0xf4)) {
    size = 4;
    if (lies_in(0, 0xf0, 0xf0)) low = 0x90;
    if (lies_in(0, 0xf4, 0xf4)) high = 0x8f;
  } else if (!lies_in(0, 0xc2, 0xdf)) {
    return 0;
  }
  if (!lies_in(1, low, high)) return 0;
  for (std::size_t at = 2; at < size; ++at) {
    if (!lies_in(at, 0x80, 0xbf)) return 0;
  }
  return size;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

Fault check_line(std::string_view text) {
  const auto bad = std::find_if(text.begin(), text.end(), is_control);
  if (bad == text.end()) return std::nullopt;
  return fmt::format("has the control character 0x{:02x} at byte {}",
                     static_cast<unsigned char>(*bad), bad - text.begin() + 1);
}

Fault check_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text.substr(at));
    if (length == 0) {
      return fmt::format("has 0x{:02x} at byte {}, which is no UTF-8",
                         static_cast<unsigned char>(text[at]), at + 1);
    }
    at += length;
  }
  return std::nullopt;
}

Fault check_word(std::string_view text, std::uint64_t high) {
  if (text.empty()) return "must not be empty";
  if (text.size() > high) {
    return fmt::format("has {} bytes, at most {} are possible", text.size(), high);
  }
  if (auto fault = check_line(text)) return fault;
  return check_no_blank(text);
}

Fault check_method(std::string_view text) {
  if (auto fault = check_line(text)) return fault;
  return check_token(text, "method");
}

Fault check_request_target(std::string_view text) {
  if (auto fault = check_line(text)) return fault;
  if (auto fault = check_no_blank(text)) return *fault + "; write %20";
  const bool good =
      text.starts_with("/") || text == "*" || text.find("://") != std::string_view::npos;
  if (good) return std::nullopt;
  return "must begin with a slash";
}

Fault check_header(std::string_view text) {
  if (auto fault = check_line(text)) return fault;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return "has no colon; it must be 'Name: value'";
  return check_token(text.substr(0, colon), "header name");
}

Fault check_cookie(std::string_view text) {
  if (auto fault = check_line(text)) return fault;
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return "has no '='; it must be 'name=value'";
  if (const std::size_t end = text.find(';'); end != std::string_view::npos) {
    return fmt::format("has a semicolon at byte {}; give each cookie with a --cookie of its own",
                       end + 1);
  }
  return check_token(text.substr(0, equals), "cookie name");
}

Fault check_endpoint(std::string_view text) {
  if (auto fault = check_line(text)) return fault;
  const Result<Endpoint> parsed = parse_endpoint(text);
  if (parsed) return std::nullopt;
  return "must be an address or ADDRESS:PORT: " + parsed.error().message;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  const std::size_t colon = text.rfind(':');
  if (text.starts_with("[")) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return fail("the bracket is not closed");
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && port[0] != ':') return fail("after the bracket comes :PORT or nothing");
  } else if (colon != std::string_view::npos && text.find(':') == colon) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  const Result<net::IpAddress> address = net::parse_address(host);
  if (!address) return address.error();
  Endpoint endpoint{.address = *address};
  if (port.empty()) return endpoint;
  const char* const last = port.data() + port.size();
  const auto [end, error] = std::from_chars(port.data() + 1, last, endpoint.port);
  const bool good = error == std::errc() && end == last && endpoint.port != 0;
  if (!good) return fail("a port is a number from 1 to 65535");
  return endpoint;
}

HeaderField split_header(std::string_view text) {
  const std::size_t colon = text.find(':');
  return {std::string(text.substr(0, colon)), std::string(trimmed(text.substr(colon + 1)))};
}

}  // namespace hawser::ctl
