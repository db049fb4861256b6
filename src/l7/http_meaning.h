// What the headers of a head mean for framing, routing and the connection's end.
#pragma once

#include "http_authority.h"
#include "http_cursor.h"

namespace hawser::l7 {

// Collected header by header, so that a fault is told at the line that makes it.
struct HeaderMeaning {
  bool is_request = true;
  // Not in a successful response to CONNECT: its Content-Length and Transfer-Encoding must be
  // ignored (RFC 9110 section 9.3.6).
  bool framing_counts = true;
  bool has_length = false;
  bool has_encoding = false;
  bool closes = false;  // Connection: close
  bool keeps = false;   // Connection: keep-alive
  bool names_upgrade = false;
  bool has_upgrade = false;
  bool expects_continue = false;
  bool has_host = false;
  std::uint64_t content_length = 0;
  Authority host;
  const char* forwarded_for_end = nullptr;  // of the last X-Forwarded-For
  TargetAuthority target;                   // what the request line said
};

// Takes in the next header of a message with version HTTP/1.`minor`.
[[nodiscard]] HttpFault read_meaning(const Header& header, unsigned minor,
                                     HeaderMeaning& meaning) noexcept;

}  // namespace hawser::l7
