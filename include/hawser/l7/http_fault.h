// HttpFault: everything that can be wrong with an HTTP/1 message, each with a name and a status.
//
// Fault = counter = word in `hawserctl why`. A message that two readers could understand
// differently is refused, never guessed at (RFC 9112 section 11.2).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace hawser::l7 {

enum class HttpFault : std::uint8_t {
  kNone,
  kNotHttp,            // the first line is no request line or status line
  kBadMethod,          // a character that no method has, or none at all
  kBadTarget,          // a blank or byte that no target has, an empty one, or one of no known form
  kBadVersion,         // not HTTP/1.0 or HTTP/1.1
  kHttp2,              // the preface of HTTP/2 (RFC 9113 section 3.4)
  kBareCr,             // a CR without LF behind it
  kBareLf,             // an LF without CR before it
  kNul,                // a zero byte
  kObsFold,            // a line that begins with a blank (RFC 9112 section 5.2)
  kEmptyHeaderName,    // a line that begins with a colon
  kBadHeaderName,      // a character that no name has, or a blank before the colon
  kNoColon,            // a header line without one
  kBadHeaderValue,     // a control character
  kHeadTooLarge,       // above limits::kMaxHttpHead
  kTooManyHeaders,     // above limits::kMaxHttpHeaders
  kNoHost,             // HTTP/1.1 without Host
  kHostTwice,          // more than one Host line (RFC 9112 section 3.2)
  kBadHost,            // a Host that is no host and port, or differs from an absolute target
  kLengthAndEncoding,  // Content-Length with Transfer-Encoding
  kBadLength,          // an empty, signed, or overlong Content-Length, or one that is no number
  kLengthTwice,        // more than one Content-Length, be it in one line (RFC 9110 section 8.6)
  kBadEncoding,        // Transfer-Encoding that does not end in chunked, is repeated or unknown
  kEncodingOnHttp10,   // Transfer-Encoding on HTTP/1.0
  kBadChunkSize,       // a chunk size that is none, or overflows
  kBadChunkEnd,        // no CRLF after a chunk's data or its size
  kBadTrailer,         // a trailer line that is no header line
  kBadStatus,          // a response's status that is not three digits between 100 and 599, or a
                       // control character behind it
  kCount,
};
inline constexpr std::size_t kHttpFaults = static_cast<std::size_t>(HttpFault::kCount);

struct HttpFaultInfo {
  HttpFault fault;
  std::uint16_t status;  // of the answer to a request with it; responses with it become 502
  std::string_view name;
  std::string_view help;
};

// In the order of the enumerators (asserted in http_fault.cc).
extern const std::array<HttpFaultInfo, kHttpFaults> kHttpFaultTable;

[[nodiscard]] inline const HttpFaultInfo& info(HttpFault fault) noexcept {
  return kHttpFaultTable[static_cast<std::size_t>(fault)];
}

}  // namespace hawser::l7
