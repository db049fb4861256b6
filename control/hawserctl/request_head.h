// The first bytes of a client, made from what an operator describes: an HTTP request or a TLS
// ClientHello.
#pragma once

#include <istream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"

namespace hawser::ctl {

// Every part has passed its check in request_checks.h.
struct RequestParts {
  std::string method = "GET";
  std::string target = "/";
  std::string host;                  // left out when a header says it
  std::vector<std::string> headers;  // "Name: value"
  std::vector<std::string> cookies;  // "name=value", sent in one header
};

// HTTP/1.1 (RFC 9112) with its final empty line.
[[nodiscard]] std::string request_head(const RequestParts& parts);

// One record with a complete TLS 1.2 hello (RFC 5246 section 7.4.1.2); the random bytes are zero,
// as it is for reading only. `server_name` may be empty, `protocols` in order of preference.
[[nodiscard]] std::string client_hello(std::string_view server_name,
                                       std::span<const std::string> protocols);

// What a file holds, or `in` for "-". Fails when it cannot be read, or has more bytes than
// limits::kMaxExplainHead.
[[nodiscard]] Outcome<std::string> read_head(const std::string& path, std::istream& in);

}  // namespace hawser::ctl
