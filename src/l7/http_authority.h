// Host and port, as a Host header and a request target name them (RFC 3986 section 3.2).
#pragma once

#include <cstdint>
#include <string_view>

namespace hawser::l7 {

struct Authority {
  std::string_view host;   // an IPv6 address with its brackets
  std::uint32_t port = 0;  // 0: none
};

// What the request target names.
struct TargetAuthority : Authority {
  bool given = false;              // the target is in absolute form or authority form
  std::uint32_t default_port = 0;  // what a Host without port means
};

// False when `text` is no host with or without port. Stricter than RFC 3986: what no server has in
// its name is refused, which are sub-delims, percent-encodings, user information, addresses of the
// future and zones, as are an empty host and port 0.
[[nodiscard]] bool parse_authority(std::string_view text, Authority& out) noexcept;

// The header `host` names what the target names.
[[nodiscard]] bool agrees(const TargetAuthority& target, const Authority& host) noexcept;

}  // namespace hawser::l7
