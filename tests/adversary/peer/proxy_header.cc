// The PROXY protocol, version 2, section 2.2 of its specification.
#include "peer/proxy_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>

#include "peer/content.h"

namespace hawser::adversary {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kFixed = 16;  // bytes before the addresses

std::size_t number16(std::string_view bytes, std::size_t at) {
  return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at])) << 8 |
         static_cast<unsigned char>(bytes[at + 1]);
}

Endpoint endpoint_at(std::string_view bytes, int family, std::size_t address, std::size_t port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, bytes.data() + address, text.data(), text.size());
  return {text.data(), static_cast<std::uint16_t>(number16(bytes, port))};
}

}  // namespace

std::optional<ProxyHeader> read_proxy_header(std::string_view bytes) {
  const std::string_view begin = bytes.substr(0, kSignature.size());
  if (begin != kSignature.substr(0, begin.size())) {
    throw Wrong("the stream does not begin with a PROXY header");
  }
  if (bytes.size() < kFixed) return std::nullopt;
  const auto command = static_cast<unsigned char>(bytes[12]);
  const auto family = static_cast<unsigned char>(bytes[13]);
  if (command != 0x21 || (family != 0x11 && family != 0x21)) {
    throw Wrong("a PROXY header with command " + hex(command) + " and family " + hex(family));
  }
  const std::size_t addresses = family == 0x11 ? 12 : 36;
  const std::size_t length = number16(bytes, 14);
  if (length < addresses || length > 2048) {
    throw Wrong("a PROXY header of " + std::to_string(length) + " bytes");
  }
  if (bytes.size() < kFixed + length) return std::nullopt;
  ProxyHeader header;
  const bool ipv4 = family == 0x11;
  header.client = ipv4 ? endpoint_at(bytes, AF_INET, 16, 24) : endpoint_at(bytes, AF_INET6, 16, 48);
  header.target = ipv4 ? endpoint_at(bytes, AF_INET, 20, 26) : endpoint_at(bytes, AF_INET6, 32, 50);
  header.length = kFixed + length;
  return header;
}

}  // namespace hawser::adversary
