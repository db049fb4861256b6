// Which names a request may call this server by.
#include "http_host.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace hawser::control {
namespace {

bool is_localhost(std::string_view name) {
  constexpr std::string_view kName = "localhost";
  return std::equal(name.begin(), name.end(), kName.begin(), kName.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

// What is left of "name:port" without the port; empty when the port is none.
std::string_view without_port(std::string_view host) {
  const bool bracketed = !host.empty() && host.front() == '[';
  const std::size_t from = bracketed ? host.find(']') : 0;
  if (from == std::string_view::npos) return {};
  const std::size_t colon = host.find(':', from);
  if (colon == std::string_view::npos) return host;
  const std::string_view port = host.substr(colon + 1);
  const bool digits =
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && port.size() <= 5 ? host.substr(0, colon) : std::string_view();
}

}  // namespace

bool host_is_ours(std::string_view host, const net::IpAddress& listening) {
  std::string_view name = without_port(host);
  if (is_localhost(name)) return true;
  const bool bracketed = name.size() > 2 && name.front() == '[' && name.back() == ']';
  if (bracketed) name = name.substr(1, name.size() - 2);
  const Result<net::IpAddress> address = net::parse_address(name);
  if (!address || address->is_ipv4() == bracketed) return false;
  const bool everywhere = listening.bytes == std::array<std::uint8_t, 16>{};
  return everywhere || address->is_loopback() || *address == listening;
}

}  // namespace hawser::control
