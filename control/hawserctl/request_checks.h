// What may stand on the command line: in a request described piece by piece, and in texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hawser/base/result.h"
#include "hawser/net/address.h"

namespace hawser::ctl {

// Each says what is wrong with `text`, and at which byte (from 1); nothing when it is good. None
// but check_text lets a control character pass, since it would end a line or steer a terminal.
using Fault = std::optional<std::string>;

[[nodiscard]] Fault check_line(std::string_view text);
// UTF-8 (RFC 3629), which is what messages to hawserd can carry as text.
[[nodiscard]] Fault check_text(std::string_view text);
// No blanks either, and at most `high` bytes: a host, a server's name, a protocol.
[[nodiscard]] Fault check_word(std::string_view text, std::uint64_t high);
// A token (RFC 9110 section 5.6.2).
[[nodiscard]] Fault check_method(std::string_view text);
// Begins with a slash, or is "*" or a whole URI (RFC 9112 section 3.2).
[[nodiscard]] Fault check_request_target(std::string_view text);
// "Name: value".
[[nodiscard]] Fault check_header(std::string_view text);
// "name=value".
[[nodiscard]] Fault check_cookie(std::string_view text);
// IP or IP:port; an IPv6 address with a port in brackets.
[[nodiscard]] Fault check_endpoint(std::string_view text);

struct Endpoint {
  net::IpAddress address;
  std::uint16_t port = 0;  // 0: not said
};
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);

// A header's name and its value without the blanks around it.
struct HeaderField {
  std::string name;
  std::string value;
};
// `text` has passed check_header().
[[nodiscard]] HeaderField split_header(std::string_view text);

}  // namespace hawser::ctl
