// Text and byte forms of addresses and prefixes.
#include "hawser/net/address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstdio>
#include <cstring>

namespace hawser::net {

bool IpAddress::is_special() const noexcept {
  const bool zero = bytes == std::array<std::uint8_t, 16>{};
  if (zero || is_loopback()) return true;
  if (is_ipv4()) return bytes[0] == 0 || bytes[0] >= 224;
  return v6().is_multicast();
}

bool IpAddress::is_loopback() const noexcept {
  if (is_ipv4()) return bytes[0] == 127;
  Ipv6Address loopback;
  loopback.bytes[15] = 1;
  return v6() == loopback;
}

std::size_t format_to(std::span<char, 46> out, const IpAddress& address) noexcept {
  const int family = address.is_ipv4() ? AF_INET : AF_INET6;
  const char* text = inet_ntop(family, address.bytes.data(), out.data(), out.size());
  return text == nullptr ? 0 : std::strlen(text);
}

IpAddress masked(const IpAddress& address, unsigned length) noexcept {
  IpAddress result = address;
  for (unsigned i = 0; i < address.size(); ++i) {
    const unsigned kept = length > 8 * i ? length - 8 * i : 0;
    if (kept < 8) result.bytes[i] &= static_cast<std::uint8_t>(0xff00U >> kept);
  }
  return result;
}

bool Prefix::contains(const IpAddress& other) const noexcept {
  return other.family == address.family && masked(other, length) == masked(address, length);
}

Result<MacAddress> parse_mac(std::string_view text) {
  const auto refused = [&] {
    return fail("\"" + std::string(text) +
                "\" is no MAC address, which looks like 02:00:5e:10:00:01");
  };
  if (text.size() != 17) return refused();
  MacAddress mac;
  for (unsigned i = 0; i < 6; ++i) {
    const char* at = text.data() + std::size_t{i} * 3;
    const auto [end, error] = std::from_chars(at, at + 2, mac.bytes[i], 16);
    if (error != std::errc() || end != at + 2 || (i < 5 && at[2] != ':')) return refused();
  }
  return mac;
}

Result<IpAddress> parse_address(std::string_view text) {
  const std::string terminated(text);
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) return address;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) {
    address.family = Family::kIpv6;
    return address;
  }
  return fail("\"" + terminated + "\" is no IP address; write it like 10.0.0.1 or fd00::1");
}

Result<Prefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  Result<IpAddress> address = parse_address(text.substr(0, slash));
  if (!address) return address.error();
  const unsigned bits = static_cast<unsigned>(address->size()) * 8;
  if (slash == std::string_view::npos) return Prefix{*address, static_cast<std::uint8_t>(bits)};
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc() || end != digits.data() + digits.size() || length > bits) {
    return fail("\"" + std::string(text) + "\": the length after the slash must be 0 to " +
                std::to_string(bits));
  }
  return Prefix{*address, static_cast<std::uint8_t>(length)};
}

std::string to_string(const MacAddress& mac) {
  std::array<char, 18> text{};
  std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac.bytes[0],
                mac.bytes[1], mac.bytes[2], mac.bytes[3], mac.bytes[4], mac.bytes[5]);
  return text.data();
}

std::string to_string(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(address.is_ipv4() ? AF_INET : AF_INET6, address.bytes.data(), text.data(), text.size());
  return text.data();
}

std::string to_string(const Prefix& prefix) {
  return to_string(prefix.address) + "/" + std::to_string(prefix.length);
}

std::string endpoint_to_string(const IpAddress& address, std::uint16_t port) {
  const std::string host = to_string(address);
  return (address.is_ipv4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}

Result<IpAddress> address_from_bytes(std::string_view raw) {
  if (raw.size() != 4 && raw.size() != 16) {
    return fail("an address has 4 or 16 bytes, not " + std::to_string(raw.size()));
  }
  IpAddress address;
  std::memcpy(address.bytes.data(), raw.data(), raw.size());
  address.family = raw.size() == 4 ? Family::kIpv4 : Family::kIpv6;
  return address;
}

std::string address_to_bytes(const IpAddress& address) {
  std::string raw(address.size(), '\0');
  std::memcpy(raw.data(), address.bytes.data(), raw.size());
  return raw;
}

}  // namespace hawser::net
