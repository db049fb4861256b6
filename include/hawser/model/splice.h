// What operators configure about reading connections: cookies, rules, splicing (docs/splicing.md).
//
// Plain values with the defaults of the product. check_splice.cc says which values are allowed.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/base/result.h"

namespace hawser::model {

// What a spliced connection is read as (docs/splicing.md). Always over TCP.
enum class Layer7 : std::uint8_t {
  kNone,  // not read: forward is not splice
  kHttp,  // HTTP/1.0 and HTTP/1.1, every request on its own
  kTls,   // the client's first message, for its server name and protocols
};

enum class SameSite : std::uint8_t { kUnset, kLax, kStrict, kNone };

// The cookie that affinity by cookie gives to clients.
struct Cookie {
  std::string name = "hawser";
  std::string path = "/";
  std::string domain;  // empty: the host alone
  bool secure = false;
  bool http_only = true;
  SameSite same_site = SameSite::kLax;
  std::uint32_t idle_seconds = 900;       // a session not used for so long is over
  std::uint32_t maximum_seconds = 43200;  // and in any case after this
  friend bool operator==(const Cookie&, const Cookie&) = default;
};

// What a rule looks at.
enum class RuleField : std::uint8_t { kMethod, kHost, kPath, kHeader, kCookie, kServerName, kAlpn };

enum class RuleMatch : std::uint8_t {
  kExact,
  kPrefix,
  kRegex,  // found anywhere in the field, unless it begins with ^ or ends with $ (Hyperscan's PCRE)
};

// One of these must match, for the condition to hold.
struct RulePattern {
  RuleMatch match = RuleMatch::kExact;
  std::string text;
  friend auto operator<=>(const RulePattern&, const RulePattern&) = default;
};

struct RuleCondition {
  RuleField field = RuleField::kPath;
  std::string name;                   // of the header or the cookie
  std::vector<RulePattern> patterns;  // at least one
  friend bool operator==(const RuleCondition&, const RuleCondition&) = default;
};

// Requests a second that a rule lets through; per_second 0: all. Over all workers.
struct RuleRate {
  std::uint32_t per_second = 0;
  std::uint32_t burst = 0;
  bool by_source = false;  // of each client address (IPv6: /64), not of all together
  friend bool operator==(const RuleRate&, const RuleRate&) = default;
};

// What happens to requests for which every condition holds. The first rule that matches counts.
struct Rule {
  std::string name;  // unique in its service
  std::vector<RuleCondition> conditions;
  std::string generation;      // only backends of this one; empty: any
  bool sticky = true;          // false: affinity does not count, and no cookie is given
  std::uint16_t deny = 0;      // answer with this status (4xx, 5xx); TLS is reset; 0: no
  std::uint16_t redirect = 0;  // answer with this status (301, 302, 303, 307, 308); 0: no
  std::string location;        // where to; "$host" and "$target" stand for the request's
  RuleRate rate;               // above it: 429; TLS is reset
  friend bool operator==(const Rule&, const Rule&) = default;
};

// How a spliced service reads its connections.
struct Splice {
  Layer7 layer7 = Layer7::kNone;
  bool h2c_tunnel = false;  // HTTP/2 with prior knowledge becomes a tunnel instead of an error
  std::uint32_t head_timeout_ms = 10'000;  // time a request's head may take
  std::string error_body;  // of the balancer's own answers; empty: status and reason
  std::vector<Rule> rules;
  std::string rules_database;  // of Hyperscan, serialised by hawserd; empty without rules
  friend bool operator==(const Splice&, const Splice&) = default;
};

// Signs session cookies.
struct CookieKey {
  std::uint8_t id = 0;  // 0..15
  std::array<std::uint8_t, 16> secret{};
  friend bool operator==(const CookieKey&, const CookieKey&) = default;
};

[[nodiscard]] std::string_view to_string(SameSite same_site) noexcept;
[[nodiscard]] std::string_view to_string(RuleField field) noexcept;
[[nodiscard]] std::string_view to_string(RuleMatch match) noexcept;

// The inverse of to_string; the error lists the words and names the nearest.
[[nodiscard]] Result<SameSite> parse_same_site(std::string_view word);

}  // namespace hawser::model
