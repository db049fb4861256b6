// Host and port, read strictly.
#include "http_authority.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

#include "hawser/l7/byte_scan.h"
#include "hawser/l7/http_head.h"

namespace hawser::l7 {
namespace {

constexpr std::array<bool, 256> kHostBytes = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = is_alphanumeric(static_cast<std::uint8_t>(i)) || i == '-' || i == '.' || i == '_' ||
               i == '~';
  }
  return table;
}();

// Bytes of the address in the brackets at the start of `text`, with them; 0: it is none.
std::size_t bracketed_length(std::string_view text) noexcept {
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos) return 0;
  std::array<char, INET6_ADDRSTRLEN> terminated;
  const std::size_t length = close - 1;
  if (length >= terminated.size()) return 0;
  std::memcpy(terminated.data(), text.data() + 1, length);
  terminated[length] = '\0';
  in6_addr address;
  return inet_pton(AF_INET6, terminated.data(), &address) == 1 ? close + 1 : 0;
}

// An empty port is as none (RFC 3986 section 3.2.3).
bool parse_port(std::string_view text, std::uint32_t& port) noexcept {
  port = 0;
  if (text.empty()) return true;
  if (text.size() > 5) return false;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return false;
    port = port * 10 + static_cast<std::uint32_t>(digit - '0');
  }
  return port != 0 && port <= UINT16_MAX;
}

}  // namespace

bool parse_authority(std::string_view text, Authority& out) noexcept {
  std::size_t length = 0;
  if (!text.empty() && text.front() == '[') {
    length = bracketed_length(text);
  } else {
    while (length < text.size() && kHostBytes[static_cast<std::uint8_t>(text[length])]) ++length;
  }
  if (length == 0) return false;
  out.host = text.substr(0, length);
  out.port = 0;
  if (length == text.size()) return true;
  return text[length] == ':' && parse_port(text.substr(length + 1), out.port);
}

bool agrees(const TargetAuthority& target, const Authority& host) noexcept {
  const auto port = [&](const Authority& of) {
    return of.port != 0 ? of.port : target.default_port;
  };
  return port(target) == port(host) && equals_ignoring_case(target.host, host.host);
}

}  // namespace hawser::l7
