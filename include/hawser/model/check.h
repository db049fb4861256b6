// What operators configure about health: active checks and the agents of backends.
//
// hawserd's business alone; the dataplane is told what follows from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/base/limits.h"
#include "hawser/base/result.h"

namespace hawser::model {

enum class CheckType : std::uint8_t {
  kNone,
  kTcp,    // connects; may send bytes and expect some
  kHttp,   // one request
  kHttps,  // one request over TLS
  kTls,    // a TLS handshake; may send bytes and expect some
};

enum class HttpMethod : std::uint8_t { kGet, kHead, kOptions, kPost };

[[nodiscard]] constexpr bool asks_http(CheckType type) noexcept {
  return type == CheckType::kHttp || type == CheckType::kHttps;
}
[[nodiscard]] constexpr bool uses_tls(CheckType type) noexcept {
  return type == CheckType::kHttps || type == CheckType::kTls;
}
[[nodiscard]] constexpr bool exchanges_bytes(CheckType type) noexcept {
  return type == CheckType::kTcp || type == CheckType::kTls;
}

struct HeaderField {
  std::string name;
  std::string value;
  friend bool operator==(const HeaderField&, const HeaderField&) = default;
};

// Of http and https: what is asked, and which answer is good.
struct HttpCheck {
  HttpMethod method = HttpMethod::kGet;
  std::string path = "/";
  std::string host;                  // Host header; empty: the backend's address
  std::vector<HeaderField> headers;  // sent with the request
  std::uint16_t status_low = 200;    // accepted status, inclusive range
  std::uint16_t status_high = 399;
  std::string body;        // must occur in the first limits::kMaxCheckBody; empty: anything
  std::string body_regex;  // must match there; empty: anything
  HeaderField header;      // must be in the answer; empty name: none must; empty value: any
  friend bool operator==(const HttpCheck&, const HttpCheck&) = default;
};

// Of https and tls: whose certificate is good.
struct TlsCheck {
  bool verify = true;
  std::string ca_file;      // empty: the authorities that the system trusts
  std::string server_name;  // asked for and verified; empty: the host, else the backend's address
  std::uint32_t expires_within_seconds = limits::kDefaultExpiresWithin;  // 0: never warn
  std::string client_certificate;  // file, with the chain; empty: none is shown
  std::string client_key;          // file
  friend bool operator==(const TlsCheck&, const TlsCheck&) = default;
};

// An active health check of each backend of a service.
struct Check {
  CheckType type = CheckType::kTcp;
  std::uint32_t interval_ms = 2000;
  std::uint32_t timeout_ms = 1000;
  std::uint32_t rise = 2;       // successes in a row that bring a backend up
  std::uint32_t fall = 3;       // failures in a row that take it down
  std::uint16_t port = 0;       // 0: the backend's own
  bool proxy_protocol = false;  // a PROXY header, version 2, comes first
  std::string send;             // tcp and tls: bytes sent first
  std::string expect;           // tcp and tls: how the answer begins
  HttpCheck http;
  TlsCheck tls;
  friend bool operator==(const Check&, const Check&) = default;
};

// The backend's own opinion, asked in HAProxy's agent protocol.
struct AgentCheck {
  std::uint16_t port = 0;  // 0: there is no agent
  std::uint32_t interval_ms = 2000;
  std::uint32_t timeout_ms = 1000;
  std::string send;  // bytes sent first
  friend bool operator==(const AgentCheck&, const AgentCheck&) = default;
};

[[nodiscard]] std::string_view to_string(CheckType type) noexcept;
[[nodiscard]] std::string_view to_string(HttpMethod method) noexcept;

// The inverse of to_string; the error lists the words and names the nearest.
[[nodiscard]] Result<CheckType> parse_check(std::string_view word);
[[nodiscard]] Result<HttpMethod> parse_http_method(std::string_view word);

}  // namespace hawser::model
